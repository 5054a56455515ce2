/**
 * Whether this machine's kernel and tools can carry packets at all: everything the programs are made of, once,
 * in namespaces of its own. Takes some hundredths of a second; `doctor` finds out what exactly is missing.
 */
import { DataPlaneError, type Holder } from "./holder.ts";

const FILTER = `table inet probe {
 counter dropped {}
 map marks { type devgroup : mark; elements = { 268435456 : 268435457 }; }
 set blocks { type ifname . ipv4_addr; flags interval; elements = { "v0" . 10.0.0.0/16 }; }
 map addresses { type ipv4_addr : ipv4_addr; elements = { 198.18.0.1 : 10.0.0.1 }; }
 chain one { counter accept comment "a b"; }
 map verdicts { type ifname : verdict; elements = { "v0" : jump one }; }
 chain raw { type filter hook prerouting priority raw; policy accept; iifname . ip saddr != @blocks counter name dropped drop; meta mark set iifgroup map @marks; }
 chain route { type filter hook prerouting priority mangle; policy accept; ct state new fib daddr type != local fib daddr . mark oif missing drop; }
 chain nat { type nat hook prerouting priority dstnat; policy accept; dnat ip to ip daddr map @addresses; }
 chain pass { type filter hook forward priority 0; policy drop; ct state established,related accept; ct status & dnat == 0 ct mark set 7; ct direction original iifname vmap @verdicts; }
}
`;

const SCRIPT = `set -e
ip netns add probe
ip -batch - <<'END'
link add name v0 netns probe group 268435456 mtu 9001 numtxqueues 1 numrxqueues 1 type veth peer name v1 netns probe
END
nsenter --net=/run/netns/probe sh -s <<'OUTER'
set -e
nft -f - <<'END'
${FILTER}END
ip -batch - <<'END'
link set lo up
link set dev v0 addrgenmode none up
rule add pref 100 fwmark 268435457 lookup 268435457
rule add pref 32000 blackhole
route replace 10.1.0.0/16 via 169.254.0.2 dev v0 onlink table 268435457
neigh replace 169.254.0.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent
END
echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose
echo 1 > /proc/sys/net/ipv4/ip_forward
OUTER
ip netns del probe
`;

/** Rejects with a DataPlaneError that says what the tools said. */
export async function selfTest(holder: Holder): Promise<void> {
  const { code, stderr } = await holder.run(SCRIPT);
  if (code !== 0) throw new DataPlaneError(stderr.trim().split("\n")[0] ?? "the kernel's tools refused");
}
