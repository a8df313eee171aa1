// What a container's status tells beyond the runtime's record: its termination message and its image.
import type { Container as RuntimeContainer } from '../../linux/containerd/index.ts';
import { terminationLogPath, type StarterWorld } from './container-starter.ts';
import type { KnownPod, PodContainer } from './pod-facts.ts';

/** Size of a termination message. */
const MESSAGE_MAX_BYTES = 4096;

/** What the container wrote to its termination log, or the end of its log where that is asked for. */
export function terminationMessage(
  world: StarterWorld,
  pod: KnownPod,
  container: PodContainer,
  instance: RuntimeContainer,
): string | undefined {
  const { fs, volumes } = world;
  const path = terminationLogPath(volumes, pod.metadata.uid, container.spec.name, instance.spec.attempt);
  const message = fs.exists(path) ? fs.readText(path) : '';
  if (
    message !== '' ||
    container.spec.terminationMessagePolicy !== 'FallbackToLogsOnError' ||
    instance.exitCode === 0
  ) {
    return Buffer.from(message).subarray(0, MESSAGE_MAX_BYTES).toString();
  }
  const { logPath } = instance.spec;
  if (logPath === undefined || !fs.exists(logPath)) return undefined;
  const lines = fs.readText(logPath).split('\n').slice(-81, -1);
  return Buffer.from(lines.map((line) => `${line.replace(/^\S+ \S+ \S+ /, '')}\n`).join(''))
    .subarray(-2048)
    .toString();
}

/** The image as the status names it; Docker leaves its own registry's name out. */
export function imageOf(world: StarterWorld, instance: RuntimeContainer): { image: string; imageID: string } {
  const record = world.containerd.imageStatus(instance.spec.image);
  const image = record?.repoTags[0] ?? record?.image.name ?? instance.spec.image;
  const digest = record?.repoDigests[0];
  const id = digest ?? record?.id ?? instance.imageId;
  if (world.runtimeName !== 'docker') return { image, imageID: id };
  const short = (name: string): string => name.replace(/^docker\.io\/(library\/)?/, '');
  return {
    image: short(image),
    imageID: digest === undefined ? `docker://${id}` : `docker-pullable://${short(digest)}`,
  };
}
