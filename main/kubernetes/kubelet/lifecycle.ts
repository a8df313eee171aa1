// postStart and preStop hooks of containers.
import type { Clock } from '../../simulation/index.ts';
import { RuntimeError, type Containerd } from '../../linux/containerd/index.ts';
import type { Kernel } from '../../linux/kernel/index.ts';
import type { Container } from '../api/index.ts';
import { runInContainer } from './container-exec.ts';
import { httpGet } from './http-get.ts';
import { portNumber } from './probes.ts';

type Handler = NonNullable<NonNullable<Container['lifecycle']>['postStart']>;

export interface HookWorld {
  readonly kernel: Kernel;
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly version: string;
}

const FOREVER_MS = 30 * 60_000;

/** Runs one hook; false when it failed. A hook's HTTP answer may have any status (pkg/kubelet/lifecycle). */
export async function runHook(
  world: HookWorld,
  handler: Handler,
  spec: Container,
  containerId: string,
  podIP: string,
): Promise<boolean> {
  if (handler.exec !== undefined) {
    try {
      return (await runInContainer(world, containerId, handler.exec.command ?? [], Infinity)).exitCode === 0;
    } catch (error) {
      if (error instanceof RuntimeError) return false;
      throw error;
    }
  }
  if (handler.sleep !== undefined) {
    await world.clock.sleep(handler.sleep.seconds * 1000);
    return true;
  }
  if (handler.httpGet !== undefined) {
    const { host, port, path = '/', scheme = 'HTTP', httpHeaders = [] } = handler.httpGet;
    const number = portNumber(port, spec);
    if (number === undefined) return false;
    const headers = httpHeaders.map(({ name, value }) => [name, value] as const);
    const target = {
      scheme,
      address: host ?? podIP,
      port: number,
      path: path.startsWith('/') ? path : `/${path}`,
      headers,
    };
    const result = await httpGet(
      world.kernel.net,
      world.clock,
      target,
      FOREVER_MS,
      `kube-lifecycle/${world.version}`,
    );
    return 'status' in result; // Whatever the answer says: that there is one will do.
  }
  return false; // tcpSocket is in the schema and has never been a handler.
}
