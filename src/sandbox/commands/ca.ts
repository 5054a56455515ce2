/**
 * `letsdata sandbox ca`: the certificate of the authority that vouches for the sandbox's brokers, for clients to
 * trust.
 */
import { type CommandContext, SANDBOX_URL, type SandboxCommand } from "./command.ts";
import { ask } from "./sandboxClient.ts";

interface CaOptions {
  readonly sandboxUrl?: string;
}

async function printCertificate(context: CommandContext, { sandboxUrl }: CaOptions): Promise<void> {
  const url = context.sandboxUrl(sandboxUrl);
  const { certificate } = await ask<{ readonly certificate: string }>(url, "ca");
  context.print(certificate.trimEnd());
}

export const caCommand: SandboxCommand<CaOptions> = {
  name: "ca",
  brief: "Print the certificate of the sandbox's authority",
  description:
    "The sandbox vouches for its brokers with an authority of its own, as Amazon's does for MSK's: one for each data folder, made when it is first needed. Prints its certificate in PEM. Clients that speak TLS with brokers (ports 9094 and 9096) trust it: Kafka's Java client by ssl.truststore.type=PEM and ssl.truststore.location, Node's by the option ca.",
  examples: [{ what: "", command: "letsdata sandbox ca > sandbox-ca.pem" }],
  options: [SANDBOX_URL],
  run: printCertificate,
};
