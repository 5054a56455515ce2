/** Literals for tests of what runs in a network: a cluster in the private subnets of the settled one. */
import type { SeenCluster } from "../domain/connector.ts";

export const PLACES = {
  subnetIds: [0, 1, 2].map((zone) => `subnet-subnet/private/${zone}`),
  groupIds: ["sg-group/cluster", "sg-group/peers"],
};

export function cluster(change: Partial<SeenCluster> = {}): SeenCluster {
  return {
    id: "arn:cluster",
    key: "cluster",
    attempt: 1,
    name: "ld-inst-ds-1",
    ours: true,
    state: "active",
    stateReason: null,
    clusterType: "provisioned",
    version: "3.9.x.kraft",
    upgrades: [],
    instanceType: "kafka.m7g.large",
    brokerCount: 3,
    volumeGiB: 100,
    authentication: ["iam"],
    ...PLACES,
    brokers: [{ brokerId: 1, interfaceId: "eni-b1", subnetId: "s", address: "10.2.0.4" }],
    bootstrap: { plaintext: null, tls: null, scram: null, iam: "b-1:9098" },
    revision: "K1",
    createdAt: 0,
    ...change,
  };
}
