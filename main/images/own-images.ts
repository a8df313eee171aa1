// Images that a lab brings with it: a base of the catalogue, files, and a script to start. They hold no programs of their own.
import {
  configOf,
  imageOfOrigin,
  originOf,
  parseReference,
  type ChangedFile,
  type ContainerImage,
} from '../linux/containerd/index.ts';

/** As a lab declares it. */
export interface OwnImage {
  /** With a tag, such as `lab/greeter:1.0`. */
  readonly name: string;
  /** Of the catalogue, such as `busybox:1.36`. */
  readonly base: string;
  /** Texts by their path in the image; what begins with `#!` can be run. */
  readonly files: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly workingDirectory?: string;
  readonly exposedPorts?: readonly number[];
  readonly labels?: Readonly<Record<string, string>>;
}

/** `docker.io/lab/greeter:1.0` of `lab/greeter:1.0`; undefined for what is no name. */
export function canonicalName(name: string): string | undefined {
  const parsed = parseReference(name);
  return parsed?.tag === undefined ? undefined : `${parsed.registry}/${parsed.repository}:${parsed.tag}`;
}

/** The image; `base` is what its declaration names. An entrypoint of its own drops the base's command, as in a Dockerfile. */
export function makeOwnImage(own: OwnImage, base: ContainerImage): ContainerImage {
  const origin = originOf(base);
  const config = configOf(base);
  const env = new Map((config.env ?? []).map((entry) => [entry.split('=', 1)[0]!, entry]));
  for (const [name, value] of Object.entries(own.env ?? {})) env.set(name, `${name}=${value}`);
  const files = Object.entries(own.files).map(([path, text]): [string, ChangedFile] => [
    path,
    {
      type: 'file',
      content: Buffer.from(text, 'utf8').toString('base64'),
      mode: text.startsWith('#!') ? 0o755 : 0o644,
    },
  ]);
  return imageOfOrigin(
    canonicalName(own.name) ?? own.name,
    {
      ...origin,
      files: { ...origin.files, ...Object.fromEntries(files) },
      config: {
        ...config,
        ...(own.entrypoint === undefined ? {} : { entrypoint: own.entrypoint, command: undefined }),
        ...(own.command === undefined ? {} : { command: own.command }),
        env: Array.from(env.values()),
        ...(own.user === undefined ? {} : { user: own.user }),
        ...(own.workingDirectory === undefined ? {} : { workingDirectory: own.workingDirectory }),
        exposedPorts: [
          ...(config.exposedPorts ?? []),
          ...(own.exposedPorts ?? []).map((port) => `${port}/tcp`),
        ],
        labels: { ...config.labels, ...own.labels },
      },
    },
    base,
  );
}
