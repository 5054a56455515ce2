/**
 * The sandbox's own requests that have to do with brokers: which there are and what they are, what one said last,
 * its end as by a crash; and the certificate of the authority that vouches for them.
 */
import type { Brokers } from "./brokers/room.ts";
import type { AdminAnswer, AdminRequest } from "./ownRequests.ts";

/** undefined when it is no request of this kind. */
export async function brokerRequest(
  { authority, fleet }: Brokers,
  { method, path }: AdminRequest,
): Promise<AdminAnswer | undefined> {
  const [, name = "", what = ""] = /^brokers\/([^/]+)\/(\w+)$/.exec(path) ?? [];
  switch (`${method} ${name ? `brokers/NAME/${what}` : path}`) {
    case "GET ca":
      return { status: 200, value: { certificate: await authority.certificate() } };
    case "GET brokers":
      return { status: 200, value: { brokers: fleet?.shown() ?? [] } };
    case "GET brokers/NAME/log": {
      const lines = fleet?.log(name);
      return lines ? { status: 200, value: { lines } } : noSuch(name);
    }
    case "POST brokers/NAME/kill":
      return (await fleet?.kill(name)) ? { status: 204 } : noSuch(name);
    default:
      return undefined;
  }
}

function noSuch(name: string): AdminAnswer {
  return {
    status: 404,
    value: { message: `there is no broker "${name}" that runs; GET brokers lists them` },
  };
}
