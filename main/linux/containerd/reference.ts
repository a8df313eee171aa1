// Image references: from what people write to what registries and containerd use. distribution/reference.

/** A reference with nothing left out. */
export interface Reference {
  /** Such as `docker.io`. */
  readonly registry: string;
  /** Such as `library/nginx`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** Parses a reference, filling in Docker Hub, `library/` and `latest`; undefined if it isn't one. */
export function parseReference(text: string): Reference | undefined {
  const match =
    /^(?<name>[^@:]+(?::\d+\/[^@:]+)?)(?::(?<tag>[\w][\w.-]{0,127}))?(?:@(?<digest>[a-z0-9]+:[0-9a-f]{32,}))?$/.exec(
      text,
    );
  const name = match?.groups?.['name'];
  if (name === undefined) return undefined;
  const slash = name.indexOf('/');
  const host = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = host === 'localhost' || /[.:]/.test(host);
  const registry = hasHost ? (host === 'index.docker.io' ? 'docker.io' : host) : 'docker.io';
  const path = hasHost ? name.slice(slash + 1) : name;
  if (!/^[a-z0-9]+(?:(?:[._]|__|-+|\/)[a-z0-9]+)*$/.test(path)) return undefined;
  const repository = registry === 'docker.io' && !path.includes('/') ? `library/${path}` : path;
  const digest = match?.groups?.['digest'];
  const tag = match?.groups?.['tag'] ?? (digest === undefined ? 'latest' : undefined);
  return { registry, repository, tag, digest };
}

/** `docker.io/library/nginx:1.20`, or with `@sha256:…` for a digest. */
export function formatReference(reference: Reference): string {
  const name = repositoryOf(reference);
  return reference.digest === undefined ? `${name}:${reference.tag}` : `${name}@${reference.digest}`;
}

/** `docker.io/library/nginx`. */
export function repositoryOf(reference: Reference): string {
  return `${reference.registry}/${reference.repository}`;
}
