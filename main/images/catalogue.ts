// The registries of this world: which images there are, under which names and tags. A new image is a line in one of the families.
import type { ContainerImage, ImageRegistry } from '../linux/containerd/index.ts';
import { DEMO_SERVERS } from './demo-servers/images.ts';
import { HTTPD } from './httpd/image.ts';
import { makeImage, type CatalogueOptions, type Repository } from './image.ts';
import { KUBERNETES_IMAGES } from './kubernetes-images.ts';
import { isRegistryHost, upstreamName } from './mirrors.ts';
import { MYSQL } from './mysql/image.ts';
import { nginxImage } from './nginx/image.ts';
import { canonicalName, makeOwnImage } from './own-images.ts';
import { PERL } from './perl.ts';
import { REDIS } from './redis/image.ts';
import { SYSTEMS } from './systems.ts';
import { TOOLBOXES } from './toolboxes.ts';

const NGINX: Repository = {
  names: ['docker.io/library/nginx', 'registry.k8s.io/e2e-test-images/nginx', 'registry.k8s.io/nginx-slim'],
  image(tag) {
    const image = nginxImage(tag);
    if (image === undefined) return undefined;
    const { name: _, files, ...rest } = image;
    return { ...rest, base: files };
  },
};

const REPOSITORIES: readonly Repository[] = [
  NGINX,
  HTTPD,
  REDIS,
  MYSQL,
  PERL,
  ...SYSTEMS,
  ...TOOLBOXES,
  ...DEMO_SERVERS,
  ...KUBERNETES_IMAGES,
];
const BY_NAME: ReadonlyMap<string, Repository> = new Map(
  REPOSITORIES.flatMap((each) => each.names.map((name) => [name, each] as const)),
);

/** A registry that knows every image of this world. The same reference always gives the same image. */
export function makeCatalogue(options: CatalogueOptions): ImageRegistry {
  const known = new Map<string, ContainerImage | undefined>();
  const own = (options.own ?? []).flatMap(({ name }) => canonicalName(name) ?? []);
  return {
    lookup(reference) {
      if (!known.has(reference)) known.set(reference, find(reference, options));
      return known.get(reference);
    },
    hasHost: (host) => isRegistryHost(host, [...BY_NAME.keys(), ...own]),
    hasRepository: (repository) =>
      BY_NAME.has(upstreamName(repository)) || own.some((name) => name.startsWith(`${repository}:`)),
  };
}

function find(reference: string, options: CatalogueOptions): ContainerImage | undefined {
  const own = options.own?.find(({ name }) => canonicalName(name) === reference);
  if (own !== undefined) {
    const base = find(canonicalName(own.base) ?? own.base, options);
    return base === undefined ? undefined : makeOwnImage(own, base);
  }
  const [plain = ''] = reference.split('@');
  const colon = plain.indexOf(':', plain.lastIndexOf('/') + 1);
  const repository = colon < 0 ? plain : plain.slice(0, colon);
  const tag = colon < 0 ? 'latest' : plain.slice(colon + 1);
  const known = BY_NAME.get(upstreamName(repository));
  const content = known?.image(tag, options);
  if (known === undefined || content === undefined) return undefined;
  return makeImage(`${repository}:${tag}`, content, known.names[0]!, tag);
}
