/**
 * The wish for a probe, and the wait for what comes of it. The first one of a network wishes for the function as well,
 * which the reconciler makes; the prober (prober.ts), in this process or another, tries the connection. Nothing here
 * calls a cloud. Refuses where there is no network, and where no role is set for the function: we make none.
 */
import { Failure } from "../domain/failure.ts";
import type { Dataset, Network } from "../domain/model.ts";
import type { Probe, ProbeWish } from "../domain/probe.ts";
import type { Store, Tx } from "../store/store.ts";
import type { Actor } from "./actor.ts";
import { needsVpc, noDataset } from "./datasets.ts";
import { untilEnded, type Waiting } from "./ending.ts";
import { by } from "./people.ts";

export interface ProbeDeps extends Waiting {
  readonly store: Store;
  /** What the functions that probe run as; without it there are none. */
  readonly functionRoleArn?: string;
}

export interface ProbeWishes {
  /** Asks for a probe and waits for its end, at most 20 s; then it is as far as it is. */
  probe(actor: Actor, place: { tenantId: string; name: string }, wish: ProbeWish): Promise<Probe>;
}

/** Of one network: who asks for many at once must not hold up the others. */
const MOST_OPEN = 10;

export function probeWishes(deps: ProbeDeps): ProbeWishes {
  const { store } = deps;
  return {
    async probe(actor, { tenantId, name }, wish) {
      const { dataset, probe } = await store.change((tx) => ask(tx, deps, { actor, tenantId, name, wish }));
      const again = async () => (await store.tenant(tenantId).probe(dataset.id, probe.id)) ?? probe;
      return untilEnded(deps, probe, again);
    },
  };
}

interface Asking {
  readonly actor: Actor;
  readonly tenantId: string;
  readonly name: string;
  readonly wish: ProbeWish;
}

async function ask(
  tx: Tx,
  { functionRoleArn }: ProbeDeps,
  { actor, tenantId, name, wish }: Asking,
): Promise<{ readonly dataset: Dataset; readonly probe: Probe }> {
  const scope = tx.tenant(tenantId);
  const dataset = await scope.dataset(name);
  if (!dataset || dataset.status === "DELETED") throw noDataset(name);
  const network = needsVpc(dataset.writeConnector) ? await scope.network(dataset.id) : null;
  const standing = livingNetwork(dataset, network);
  const roleArn = roleFor(standing, functionRoleArn);
  if ((await tx.openProbes(standing.id)) >= MOST_OPEN) throw tooMany(name);
  const probe = await tx.askProbe({ networkId: standing.id, roleArn, wish, askedBy: actor.keyName });
  await tx.wake(standing.id);
  const { host, port, protocol } = wish;
  await tx.writeAudit({
    ...by(actor),
    tenantId,
    action: "vpcs.probe",
    subject: `dataset/${name}`,
    detail: { target: `${host}:${port}`, protocol },
  });
  return { dataset, probe };
}

function tooMany(name: string): Failure {
  return new Failure(
    "conflict",
    `${MOST_OPEN} probes of the VPC of ${name} are under way: no more at one time`,
    {
      hint: "Wait until one of them has ended, and ask again.",
    },
  );
}

function livingNetwork({ name, writeConnector }: Dataset, network: Network | null): Network {
  if (network && network.goneAt === null && network.want === "present") return network;
  const isGoing = network !== null && network.goneAt === null;
  const why = needsVpc(writeConnector) ? (isGoing ? "is being deleted" : "was deleted") : "does not exist";
  throw new Failure("conflict", `The VPC of ${name} ${why}: there is nothing to probe from`, {
    hint: needsVpc(writeConnector)
      ? `Build it again: letsdata writeConnectors reinitialize --datasetName ${name}`
      : "Only a Kafka write connector with resourceLocation letsdata has a VPC here.",
  });
}

function roleFor({ cell: { account } }: Network, roleArn: string | undefined): string {
  if (roleArn === undefined)
    throw new Failure(
      "conflict",
      "A probe needs a function in the VPC, and no role is set for it to run as",
      {
        hint:
          `The operator makes a role in account ${account} that trusts lambda.amazonaws.com and has the policy ` +
          "AWSLambdaVPCAccessExecutionRole (ec2:CreateNetworkInterface and the like), and starts: " +
          `letsdata serve --functionRoleArn arn:aws:iam::${account}:role/NAME`,
      },
    );
  const owner = functionRoleAccount(roleArn);
  if (owner === account) return roleArn;
  throw new Failure(
    "conflict",
    `The role ${roleArn} is of account ${owner}, and this VPC is in account ${account}`,
    {
      hint: `A function runs only as a role of its own account: letsdata serve --functionRoleArn arn:aws:iam::${account}:role/NAME`,
    },
  );
}

const ROLE = /^arn:aws[a-zA-Z-]*:iam::(\d{12}):role\/[\w+=,.@/-]+$/;

/** The account of a role, by its ARN; null for what is no ARN of a role. */
export function functionRoleAccount(arn: string): string | null {
  return ROLE.exec(arn)?.[1] ?? null;
}
