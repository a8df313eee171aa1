// Sees that the image of a container is on the node: pull policies, back-off and the events about it.
import type { Clock } from '../../simulation/index.ts';
import { RuntimeError, type Containerd } from '../../linux/containerd/index.ts';
import type { EventRecorder } from '../client/index.ts';
import { Backoff } from './backoff.ts';
import { containerReference, podReference, type KnownPod, type PodContainer } from './pod-facts.ts';

/** Why a container waits: `reason` and `message` of its state. */
export class WaitingError extends Error {
  readonly reason: string;
  /** Ms after which trying again makes sense; undefined: the usual. */
  readonly retryMs: number | undefined;
  constructor(reason: string, message: string, retryMs?: number, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.retryMs = retryMs;
  }
}

const BACKOFF_INITIAL_MS = 10_000;
const BACKOFF_MAX_MS = 300_000;

export interface ImagesOptions {
  readonly containerd: Containerd;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  /** Minor version of the kubelet, which decides wordings. */
  readonly minor: number;
  readonly hasSecret: (namespace: string, name: string) => Promise<boolean>;
  /** One pull at a time (serializeImagePulls). */
  readonly serialize: boolean;
}

/** kubelet's image manager. */
export class Images {
  private readonly options: ImagesOptions;
  private readonly backoff: Backoff;
  private readonly lastError = new Map<string, string>();
  private pulling: Promise<unknown> = Promise.resolve();

  constructor(options: ImagesOptions) {
    this.options = options;
    this.backoff = new Backoff(options.clock, BACKOFF_INITIAL_MS, BACKOFF_MAX_MS);
  }

  /** Settles when the image is there. Rejects with WaitingError. */
  async ensure(pod: KnownPod, container: PodContainer): Promise<void> {
    const { containerd, recorder, minor } = this.options;
    const subject = containerReference(pod, container);
    const image = container.spec.image ?? '';
    const problem = referenceProblem(image);
    if (problem !== undefined) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${problem}`;
      recorder.event(subject, 'Warning', 'InspectFailed', message);
      throw new WaitingError('InvalidImageName', message);
    }
    const reference = withTag(image);
    const policy =
      container.spec.imagePullPolicy ?? (reference.endsWith(':latest') ? 'Always' : 'IfNotPresent');
    const isPresent = containerd.imageStatus(reference) !== undefined;
    if (isPresent && policy !== 'Always') {
      const more = minor >= 36 ? ' and can be accessed by the pod' : '';
      recorder.event(
        subject,
        'Normal',
        'Pulled',
        `Container image "${image}" already present on machine${more}`,
      );
      return;
    }
    if (policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`;
      recorder.event(subject, 'Warning', 'ErrImageNeverPull', message);
      throw new WaitingError('ErrImageNeverPull', message);
    }
    await this.checkSecrets(pod);
    const key = `${pod.metadata.uid}_${image}`;
    const leftMs = this.backoff.left(key);
    if (leftMs > 0) {
      const short = `Back-off pulling image "${image}"`;
      recorder.event(subject, 'Normal', 'BackOff', short);
      const cause = this.lastError.get(key);
      throw new WaitingError(
        'ImagePullBackOff',
        minor >= 32 && cause !== undefined ? `${short}: ${cause}` : short,
        leftMs,
      );
    }
    await this.pull(pod, container, reference, key);
  }

  /** Secrets for registries that aren't there are told of; the pull is tried all the same. */
  private async checkSecrets(pod: KnownPod): Promise<void> {
    const missing: string[] = [];
    for (const { name = '' } of pod.spec.imagePullSecrets ?? [])
      if (name !== '' && !(await this.options.hasSecret(pod.metadata.namespace, name))) missing.push(name);
    if (missing.length === 0) return;
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
    this.options.recorder.event(podReference(pod), 'Warning', 'FailedToRetrieveImagePullSecret', message);
  }

  /** Forgets a pod that is gone. */
  forget(podUid: string): void {
    this.backoff.forget(`${podUid}_`);
    for (const key of this.lastError.keys()) if (key.startsWith(`${podUid}_`)) this.lastError.delete(key);
  }

  private async pull(pod: KnownPod, container: PodContainer, reference: string, key: string): Promise<void> {
    const { containerd, recorder, clock, minor } = this.options;
    const subject = containerReference(pod, container);
    const image = container.spec.image ?? '';
    recorder.event(subject, 'Normal', 'Pulling', `Pulling image "${image}"`);
    const askedMs = clock.now();
    let startedMs = askedMs;
    try {
      const record = await this.inTurn(() => {
        startedMs = clock.now();
        return containerd.pullImage(reference);
      });
      const took = goDuration(clock.now() - startedMs);
      const whole = goDuration(clock.now() - askedMs);
      // Each release told a little more.
      const time = minor < 18 ? '' : minor < 27 ? ` in ${took}` : ` in ${took} (${whole} including waiting)`;
      const size = minor >= 30 ? `. Image size: ${record.sizeBytes} bytes.` : '';
      const message = `Successfully pulled image "${image}"${time}${size}`;
      recorder.event(subject, 'Normal', 'Pulled', message);
      this.lastError.delete(key);
    } catch (error) {
      const message = runtimeMessage(error);
      recorder.event(subject, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      this.backoff.next(key, clock.now());
      this.lastError.set(key, `ErrImagePull: ${message}`);
      throw new WaitingError('ErrImagePull', message, undefined, { cause: error });
    }
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    if (!this.options.serialize) return task();
    const turn = this.pulling.then(task);
    this.pulling = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }
}

/** An error of the runtime as gRPC clients print it; anything else is rethrown. */
function runtimeMessage(error: unknown): string {
  if (!(error instanceof RuntimeError)) throw error;
  return error.code === 'Unknown' ? error.message : `rpc error: code = ${error.code} desc = ${error.message}`;
}

/** A duration as Go prints it, cut to whole ms. */
function goDuration(ms: number): string {
  const whole = Math.floor(ms);
  if (whole === 0) return '0s';
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const seconds = (whole - minutes * 60_000) / 1000;
  return minutes === 0 ? `${seconds}s` : `${minutes}m${seconds}s`;
}

/** What is wrong with an image name (distribution/reference); undefined when it is fine. */
function referenceProblem(image: string): string | undefined {
  const name = image.replace(/@sha256:[0-9a-f]{64}$/, '');
  const slash = name.lastIndexOf('/');
  const colon = name.indexOf(':', slash + 1);
  const path = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  const [first = '', ...rest] = path.split('/');
  const hasDomain =
    rest.length > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const repository = hasDomain ? rest.join('/') : path;
  if (repository !== repository.toLowerCase())
    return `invalid reference format: repository name (${repository}) must be lowercase`;
  const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
  if (!repository.split('/').every((part) => component.test(part))) return 'invalid reference format';
  if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) return 'invalid reference format';
  return undefined;
}

function withTag(image: string): string {
  if (image.includes('@')) return image;
  return image.indexOf(':', image.lastIndexOf('/') + 1) < 0 ? `${image}:latest` : image;
}
