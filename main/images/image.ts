// How images are declared: a repository has names, tags, and for each tag what is in it. Families of images are lists of these.
import type { ContainerImage, ImageFile } from '../linux/containerd/index.ts';
import type { Process, Program } from '../linux/kernel/index.ts';
import type { ApiClient } from '../kubernetes/client/index.ts';
import type { Files } from './bases.ts';
import type { OwnImage } from './own-images.ts';

export interface CatalogueOptions {
  /** How a program in a container reaches the API server: over its pod's network, with its service account. */
  readonly client: (proc: Process) => ApiClient;
  /**
   * Programs that wrap parts of the simulation, by the name of their binary: `kube-apiserver`,
   * `kube-controller-manager`, `kube-scheduler`, `etcd` …
   */
  readonly programs: ReadonlyMap<string, Program>;
  /** What a lab brings with it. */
  readonly own?: readonly OwnImage[];
}

/** What a tag stands for. */
export interface ImageContent extends Omit<ContainerImage, 'name' | 'files' | 'identity'> {
  readonly base: Files;
  /** Added to the base. */
  readonly files?: Readonly<Record<string, ImageFile>>;
  /** The tag that several names of one build share, such as `1.36.1` of `latest`; absent: the tag asked for. */
  readonly build?: string;
}

/** One repository, under all the names that it is published by. */
export interface Repository {
  /** Such as `docker.io/library/httpd`, without a tag. */
  readonly names: readonly string[];
  /** Undefined: there is no such tag. */
  readonly image: (tag: string, options: CatalogueOptions) => ImageContent | undefined;
}

export const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** A repository of which every tag that matches has the same content. */
export function repository(
  names: string | readonly string[],
  tags: RegExp,
  content: (tag: string, options: CatalogueOptions) => ImageContent,
): Repository {
  return {
    names: typeof names === 'string' ? [names] : names,
    image: (tag, options) => (tags.test(tag) ? content(tag, options) : undefined),
  };
}

/** The image under the name it was asked by. */
export function makeImage(
  name: string,
  { base, files, build, ...rest }: ImageContent,
  canonical: string,
  tag: string,
): ContainerImage {
  return {
    env: [PATH],
    ...rest,
    name,
    identity: `${canonical}:${build ?? tag}`,
    files: files === undefined ? base : new Map([...base, ...Object.entries(files)]),
  };
}
