/**
 * Stands on the wire between a client and a cloud: notes every request with its answer, may add headers to the
 * one and correct the other. Promises that the signed headers arrive as they came, and that nothing outlives
 * `close`. For tests alone.
 */
import http from "node:http";
import type { AddressInfo } from "node:net";

/** An answer's status and body. */
export interface Heard {
  readonly status: number;
  readonly answer: string;
}

export interface Exchange extends Heard {
  readonly service: string;
  readonly account: string;
  /** Of the form, or of the header `X-Amz-Target`. */
  readonly action: string;
  /** The form's parameters but for Action and Version, in the order they came; none of a JSON body. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly userAgent: string;
}

export interface RelayOptions {
  /** Added to the request. */
  readonly headers?: (account: string) => Record<string, string>;
  /** What the client hears instead. */
  readonly corrected?: (exchange: Exchange) => Promise<Heard>;
}

export interface Relay {
  readonly url: string;
  readonly seen: Exchange[];
  close(): Promise<void>;
}

export async function openRelay(target: string, options: RelayOptions = {}): Promise<Relay> {
  const seen: Exchange[] = [];
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer(async (request, response) => {
    try {
      const body = await whole(request);
      const asked = read(request, body);
      const headers = { ...request.headers, ...options.headers?.(asked.account) };
      const answer = await passedOn({ target, agent, request, headers, body });
      const text = (await whole(answer)).toString();
      const exchange: Exchange = { ...asked, status: answer.statusCode ?? 502, answer: text };
      seen.push(exchange);
      const heard = (await options.corrected?.(exchange)) ?? exchange;
      const bytes = Buffer.from(heard.answer);
      response.writeHead(heard.status, { ...answer.headers, "content-length": bytes.length });
      response.end(bytes);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        agent.destroy();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function whole(message: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function read(request: http.IncomingMessage, body: Buffer): Omit<Exchange, "status" | "answer"> {
  const { authorization = "", "user-agent": userAgent = "" } = request.headers;
  const [, account = "", service = ""] =
    /Credential=([^/]+)\/\d{8}\/[^/]+\/([^/]+)\//.exec(authorization) ?? [];
  const target = String(request.headers["x-amz-target"] ?? "");
  if (target) return { service, account, action: target.split(".").at(-1) ?? "", parameters: {}, userAgent };
  const {
    Action: action = "",
    Version: _,
    ...parameters
  } = Object.fromEntries(new URLSearchParams(body.toString()));
  return { service, account, action, parameters, userAgent };
}

interface Onward {
  readonly target: string;
  readonly agent: http.Agent;
  readonly request: http.IncomingMessage;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: Buffer;
}

function passedOn({ target, agent, request, headers, body }: Onward): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onward = http.request(target + request.url, { method: request.method, headers, agent }, resolve);
    onward.on("error", reject);
    onward.end(body);
  });
}
