// What crictl, ctr and docker share: names, short ids, ages, sizes.
import type { Container, Containerd, Sandbox } from '../../containerd/index.ts';

/** `12 seconds ago`, `About a minute ago`, as docker and crictl say (go-units HumanDuration). */
export function humanAge(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(seconds / 3600);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 14) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 60) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(hours / 24 / 365)} years`;
}

/** `142MB`: decimal units with three digits (go-units HumanSize). */
export function decimalSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))}${units[unit]}`;
}

export function sandboxOf(runtime: Containerd, container: Container): Sandbox | undefined {
  return runtime.listSandboxes().find((one) => one.id === container.sandboxId);
}

/** `k8s_web_web1-0_default_UID_0`, as cri-dockerd names a pod's containers. */
export function dockerName(runtime: Containerd, container: Container): string {
  const sandbox = sandboxOf(runtime, container);
  if (sandbox === undefined) return container.spec.name;
  return `k8s_${container.spec.name}_${sandbox.spec.podName}_${sandbox.spec.podNamespace}_${sandbox.spec.podUid}_${container.spec.attempt}`;
}

/** Repository and tag of a reference; docker leaves `docker.io/library/` out. */
export function splitReference(reference: string, short: boolean): { repository: string; tag: string } {
  const at = reference.lastIndexOf(':');
  const hasTag = at > reference.lastIndexOf('/');
  const repository = hasTag ? reference.slice(0, at) : reference;
  return {
    repository: short ? repository.replace(/^docker\.io\/(?:library\/)?/, '') : repository,
    tag: hasTag ? reference.slice(at + 1) : 'latest',
  };
}

/** `nginx` as `docker.io/library/nginx:latest`. */
export function canonicalReference(text: string): string {
  const slash = text.indexOf('/');
  const domain = slash > 0 ? text.slice(0, slash) : '';
  const qualified =
    slash < 0
      ? `docker.io/library/${text}`
      : /[.:]/.test(domain) || domain === 'localhost'
        ? text
        : `docker.io/${text}`;
  return qualified.lastIndexOf(':') > qualified.lastIndexOf('/') || qualified.includes('@')
    ? qualified
    : `${qualified}:latest`;
}

/** The id without `sha256:`, cut. */
export function shortId(id: string, length: number): string {
  return id.replace(/^sha256:/, '').slice(0, length);
}
