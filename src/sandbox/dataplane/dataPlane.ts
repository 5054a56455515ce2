/**
 * The data plane of one small cloud as those who use it see it.
 */
import type { Run } from "./holder.ts";
import type { Topology } from "./topology.ts";

export interface DataPlane {
  /** off = with why: control plane only. */
  status(): { readonly status: "on" } | { readonly status: "off"; readonly why: string };
  /** Resolves when packets obey every change made before the call. */
  settled(): Promise<void>;
  /** What is applied. */
  topology(): Topology;
  /** argv prefix that runs what follows in the network namespace of a host (its id) or "internet" or a router (its VPC id). */
  entry(namespace: string): readonly string[];
  run(script: string, namespace?: string): Promise<Run>;
  close(): Promise<void>;
}
