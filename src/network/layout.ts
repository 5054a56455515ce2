/**
 * How a dataset range is cut into subnets, and which zones they stand in. Promises aligned subnets that do not
 * overlap, the largest first, in zone order, with the gap at the end. The result is stored with the network,
 * versioned, and never computed again for one that exists, so a change here touches new networks alone.
 *
 * Five addresses of every subnet are kept back, and /28 is the smallest subnet there is:
 * https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
 *
 *   small, /25      0    16    32    48    64    80    96        128
 *                   | p0  | p1  | p2  | u0  | u1  | u2  |  spare  |
 *                    /28   /28   /28   /28   /28   /28      /27
 *
 *   medium, /23     0        128       256       384   416   448   480   512
 *                   |   p0    |   p1    |   p2    | u0  | u1  | u2  | spare |
 *                      /25       /25       /25      /27   /27   /27    /27
 *
 *   large, /22      0        256       512       768   832   896   960   1024
 *                   |   p0    |   p1    |   p2    | u0  | u1  | u2  | spare |
 *                      /24       /24       /24      /26   /26   /26    /26
 *
 *   p = private, u = public; the number is the zone's place in `zoneIds`.
 */
import { addressCount, type Cidr, cidrAt, maskLength, span } from "../domain/cidr.ts";
import { type Layout, SIZE_MASK, type SubnetPlan, type VpcSize } from "../domain/model.ts";

const SUBNET_MASK: Readonly<Record<VpcSize, { readonly private: number; readonly public: number }>> = {
  small: { private: 28, public: 28 },
  medium: { private: 25, public: 27 },
  large: { private: 24, public: 26 },
};

/** Zones a network stands in. */
export const ZONE_COUNT = 3;

/**
 * The layout of a network. A block whose mask is not the size's, or any number of zones but three, is a
 * mistake of the caller: it throws a RangeError.
 */
export function layout(given: {
  readonly cidr: Cidr;
  readonly size: VpcSize;
  readonly zoneIds: readonly string[];
}): Layout {
  const { cidr, size, zoneIds } = given;
  if (maskLength(cidr) !== SIZE_MASK[size])
    throw new RangeError(`${cidr} is not a /${SIZE_MASK[size]}, as size ${size} takes`);
  if (zoneIds.length !== ZONE_COUNT || new Set(zoneIds).size !== ZONE_COUNT)
    throw new RangeError(`a network stands in ${ZONE_COUNT} different zones, not in "${zoneIds.join(", ")}"`);
  const masks = SUBNET_MASK[size];
  const { first } = span(cidr);
  const privateSubnets = row("private", first, masks.private);
  const firstPublic = first + ZONE_COUNT * 2 ** (32 - masks.private);
  return {
    version: 1,
    zoneIds: [...zoneIds],
    privateSubnets,
    publicSubnets: row("public", firstPublic, masks.public),
  };
}

/** One subnet a zone, side by side from `first` on. */
function row(side: "private" | "public", first: number, mask: number): SubnetPlan[] {
  const size = 2 ** (32 - mask);
  return Array.from({ length: ZONE_COUNT }, (_, index) => ({
    key: `subnet/${side}/${index}`,
    index,
    cidr: cidrAt(first + index * size, mask),
  }));
}

/** Addresses of a subnet that can be used: the first four and the last are kept back. */
export function usableAddresses(subnet: Cidr): number {
  return addressCount(subnet) - 5;
}

export type ZoneChoice =
  | { readonly kind: "zones"; readonly zoneIds: readonly string[] }
  /** Fewer than three are left: how many are missing, and which there are. */
  | { readonly kind: "short"; readonly missing: number; readonly zoneIds: readonly string[] };

/** The three lowest zone ids that are not excluded; `az10` comes after `az2`. */
export function chooseZones(
  zones: readonly { readonly id: string }[],
  excluded: readonly string[],
): ZoneChoice {
  const order = new Intl.Collator("en", { numeric: true });
  const ids = [...new Set(zones.map(({ id }) => id))]
    .filter((id) => !excluded.includes(id))
    .sort(order.compare)
    .slice(0, ZONE_COUNT);
  if (ids.length === ZONE_COUNT) return { kind: "zones", zoneIds: ids };
  return { kind: "short", missing: ZONE_COUNT - ids.length, zoneIds: ids };
}
