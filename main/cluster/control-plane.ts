// The programs of the control plane's containers: they run the in-process components while their process lives.
import type { Clock, Random } from '../simulation/index.ts';
import type { Process, Program } from '../linux/kernel/index.ts';
import { serveHttp, type StreamSource } from '../network/http/index.ts';
import type { Identity } from '../network/tls/index.ts';
import type { TcpListener } from '../network/index.ts';
import type { ApiClient } from '../kubernetes/client/index.ts';
import type { ApiServer } from '../kubernetes/apiserver/index.ts';
import { makeControllerManager } from '../kubernetes/controllers/index.ts';
import { klogLine } from '../kubernetes/daemon/index.ts';
import { makeScheduler, readSchedulerProfiles } from '../kubernetes/scheduler/index.ts';
import type { ApiGate } from './gated-client.ts';

export interface ControlPlaneOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly gate: ApiGate;
  readonly client: (component: string) => ApiClient;
  /** The cluster's. */
  readonly authority: Identity;
  /** Minor version of the release. */
  readonly minor: number;
  /** Signs a token for a Secret. */
  readonly signSecretToken: ApiServer['signSecretToken'];
  /** Serves the API on a port. */
  readonly serveApi: (proc: Process, port: number) => Disposable;
  /** TLS sessions over a listener, with the control plane's certificate. */
  readonly tls: (listener: TcpListener) => StreamSource;
}

/** First release that makes no Secret for a service account unasked (LegacyServiceAccountTokenNoAutoGeneration). */
const SECRET_TOKENS_UNTIL = 24;
/** First release that publishes the root certificate in every namespace. */
const ROOT_CA_SINCE = 20;

/** By image name without tag, such as `registry.k8s.io/kube-scheduler`. */
export type ControlPlanePrograms = Readonly<
  Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler', Program>
>;

export function controlPlanePrograms(options: ControlPlaneOptions): ControlPlanePrograms {
  const { clock, random, gate, client, serveApi, tls } = options;
  return {
    etcd: (proc) => untilStopped(proc, () => serveHealth(proc, 2381)),
    'kube-apiserver': (proc) =>
      untilStopped(proc, () => {
        const stack = new DisposableStack();
        stack.use(serveApi(proc, portFlag(proc, 'secure-port', 6443)));
        gate.open();
        stack.defer(() => gate.close());
        return stack;
      }),
    'kube-controller-manager': (proc) =>
      untilStopped(proc, () => {
        const stack = new DisposableStack();
        stack.use(serveHealth(proc, 10257, tls));
        stack.use(
          makeControllerManager({
            client: client('kube-controller-manager'),
            clock,
            random: random.fork('kube-controller-manager'),
            minorVersion: options.minor,
            ...elected(proc),
            ...(flag(proc, 'cluster-cidr') === undefined ? {} : { clusterCidr: flag(proc, 'cluster-cidr')! }),
            rootCa: options.authority.certificate,
            signingAuthority: options.authority,
            secretTokens: {
              sign: options.signSecretToken,
              forEveryAccount: options.minor < SECRET_TOKENS_UNTIL,
            },
            controllers: [
              '*',
              ...(options.minor < ROOT_CA_SINCE ? ['-root-ca-certificate-publisher-controller'] : []),
            ],
          }).start(),
        );
        return stack;
      }),
    'kube-scheduler': async (proc) => {
      let profiles: { profiles?: string[] };
      try {
        profiles = schedulerProfiles(proc);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const message = `"command failed" err=${JSON.stringify(error.message)}`;
        await proc.stderr.write(klogLine('E', clock.now(), proc.pid, 'run.go:74', message));
        return 1;
      }
      return untilStopped(proc, () => {
        const stack = new DisposableStack();
        stack.use(serveHealth(proc, 10259, tls));
        stack.use(
          makeScheduler({
            client: client('kube-scheduler'),
            clock,
            random: random.fork('kube-scheduler'),
            minorVersion: options.minor,
            ...profiles,
            ...elected(proc),
          }).start(),
        );
        return stack;
      });
    },
  };
}

/** Runs a component until its process is told to go. */
async function untilStopped(proc: Process, start: () => Disposable): Promise<number> {
  using _running = start();
  await new Promise<void>((resolve) => {
    proc.onSignal('SIGTERM', resolve);
    proc.onSignal('SIGINT', resolve);
    proc.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return 0;
}

/** The health endpoint that liveness probes ask. */
function serveHealth(
  proc: Process,
  port: number,
  over: (listener: TcpListener) => StreamSource = (listener) => listener,
): Disposable {
  const stack = new DisposableStack();
  const listener = stack.use(
    proc.net.sockets.listenTcp({ address: '127.0.0.1', port }, { owner: proc.socketOwner }),
  );
  const answer = {
    status: 200,
    headers: [['Content-Type', 'text/plain; charset=utf-8']],
    body: 'ok',
  } as const;
  stack.use(serveHttp(over(listener), () => Promise.resolve(answer)));
  return stack;
}

/** --config of kube-scheduler. Throws for one that can't be used. */
function schedulerProfiles(proc: Process): { profiles?: string[] } {
  const path = flag(proc, 'config');
  return path === undefined ? {} : { profiles: readSchedulerProfiles(proc.fs.readText(path)) };
}

/** --leader-elect, under the name of the machine. */
function elected(proc: Process): { leaderElectOn?: string } {
  return flag(proc, 'leader-elect') === 'true' ? { leaderElectOn: proc.kernel.hostname } : {};
}

function flag(proc: Process, name: string): string | undefined {
  return proc.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

function portFlag(proc: Process, name: string, preset: number): number {
  return Number(flag(proc, name) ?? preset);
}
