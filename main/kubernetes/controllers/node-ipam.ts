// Node IPAM: gives each node its slice of the cluster's pod network.
import { resources, type Node, type Stored } from '../api/index.ts';
import { makeController, type Controller, type ControllerContext } from './controller.ts';

/** Makes the controller. `clusterCidr` is IPv4, such as `10.244.0.0/16`; each node gets a part of `nodeMaskSize` bits. */
export function makeNodeIpamController(
  context: ControllerContext,
  clusterCidr: string,
  nodeMaskSize = 24,
): Controller {
  return makeController(context, {
    name: 'node-ipam-controller',
    component: 'cidrAllocator',
    workers: 1, // The real one has 30; with one the order of allocation is that of arrival.
    setUp(run) {
      const nodes = run.informer<Node>(resources.nodes);
      const pool = new CidrPool(clusterCidr, nodeMaskSize);
      const occupy = (node: Stored<Node>): void => {
        if (node.spec?.podCIDR !== undefined && node.spec.podCIDR !== '') pool.occupy(node.spec.podCIDR);
        else run.enqueue(node);
      };
      run.on(nodes, {
        add: occupy,
        update: (node) => {
          if (!node.spec?.podCIDR) run.enqueue(node);
        },
        delete: (node) => {
          if (node.spec?.podCIDR) pool.release(node.spec.podCIDR);
        },
      });

      return async function sync(name) {
        const node = nodes.lister.get(name);
        if (node === undefined || node.spec?.podCIDR) return;
        const cidr = pool.take();
        if (cidr === undefined) {
          run.recorder.event(
            node,
            'Normal',
            'CIDRNotAvailable',
            `Node ${name} status is now: CIDRNotAvailable`,
          );
          throw new Error(
            `CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range`,
          );
        }
        try {
          const patch = { spec: { podCIDR: cidr, podCIDRs: [cidr] } };
          await run.client.patch<Node>(
            resources.nodes,
            name,
            'application/strategic-merge-patch+json',
            patch,
          );
        } catch (error) {
          pool.release(cidr);
          throw error;
        }
      };
    },
  });
}

/** The parts of one network, handed out in turn (kubernetes pkg/controller/nodeipam/ipam/cidrset). */
export class CidrPool {
  private readonly base: number;
  private readonly shift: number;
  private readonly maskSize: number;
  private readonly size: number;
  private readonly used = new Set<number>();
  private next = 0;

  constructor(cidr: string, maskSize: number) {
    const [address = '', bits = ''] = cidr.split('/');
    const clusterBits = Number(bits);
    if (!(clusterBits >= 0 && clusterBits <= maskSize && maskSize <= 32)) {
      throw new RangeError(`the cluster CIDR ${cidr} has no parts of /${maskSize}`);
    }
    this.base = ipv4ToNumber(address);
    this.maskSize = maskSize;
    this.shift = 2 ** (32 - maskSize);
    this.size = 2 ** (maskSize - clusterBits);
  }

  /** The next free part, or undefined when all are taken. */
  take(): string | undefined {
    if (this.used.size >= this.size) return undefined;
    while (this.used.has(this.next)) this.next = (this.next + 1) % this.size;
    const index = this.next;
    this.used.add(index);
    this.next = (index + 1) % this.size;
    return `${numberToIpv4(this.base + index * this.shift)}/${this.maskSize}`;
  }

  /** Marks a part as taken; one outside the network is nobody's business here. */
  occupy(cidr: string): void {
    const index = this.indexOf(cidr);
    if (index !== undefined) this.used.add(index);
  }

  release(cidr: string): void {
    const index = this.indexOf(cidr);
    if (index !== undefined) this.used.delete(index);
  }

  private indexOf(cidr: string): number | undefined {
    const index = Math.floor((ipv4ToNumber(cidr.split('/')[0]!) - this.base) / this.shift);
    return index >= 0 && index < this.size ? index : undefined;
  }
}

function ipv4ToNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

function numberToIpv4(number: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join('.');
}
