/**
 * What packets do in the sandbox, shown by real traffic between hosts in network namespaces: everything is asked
 * for by calls to EC2, and nothing is believed but what arrives. What is forbidden is shown to be possible without
 * the protection that forbids it in packets/controls.test.ts. Runs as whoever runs the tests; as root,
 * packets/otherUser.test.ts runs it as a normal user as well.
 */
import { after, describe } from "node:test";
import { overPeerings } from "./packets/overPeerings.ts";
import { PacketNetwork } from "./packets/packetNetwork.ts";
import { protections } from "./packets/protections.ts";
import { withinVpcs } from "./packets/withinVpcs.ts";

const network = await PacketNetwork.open();
after(() => network.close());

describe("packets", { skip: network.off }, () => {
  withinVpcs(network);
  overPeerings(network);
  protections(network);
});
