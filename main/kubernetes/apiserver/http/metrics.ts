// /metrics: of upstream's metrics those that this server knows to be true. Differs: the many others aren't kept.
import type { HttpResponse } from '../../../network/http/index.ts';
import type { ServerCore } from '../core.ts';
import { qualified } from '../refusals.ts';
import { versionInfo } from '../version.ts';
import type { RequestInfo } from './request-info.ts';

/** Kinds of requests that are told apart; further ones aren't counted. */
const COUNTS_MAX = 20_000;

/** How often each kind of request was answered how, by server. */
const counts = new WeakMap<ServerCore, Map<string, number>>();

/** Counts one answered request; `info` is undefined for one that wasn't understood. */
export function countRequest(
  core: ServerCore,
  method: string,
  info: RequestInfo | undefined,
  status: number,
): void {
  let own = counts.get(core);
  if (own === undefined) counts.set(core, (own = new Map()));
  const key =
    info?.isResource === true
      ? `${status}|${info.verb}|${info.group}|${info.version}|${info.resource}|${info.subresource}|${scopeOf(info)}`
      : `${status}|${method.toLowerCase()}|||||`;
  const before = own.get(key);
  if (before !== undefined || own.size < COUNTS_MAX) own.set(key, (before ?? 0) + 1);
}

function scopeOf({ name, namespace }: RequestInfo): string {
  if (name !== '') return 'resource';
  return namespace !== '' ? 'namespace' : 'cluster';
}

export function metricsAnswer(core: ServerCore): HttpResponse {
  const body = [...longRunning(core), ...requests(core), ...objects(core), ...build(core)].join('\n');
  return {
    status: 200,
    headers: [['content-type', 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores']],
    body: `${body}\n`,
  };
}

function head(name: string, type: string, text: string): string[] {
  return [`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`];
}

function longRunning(core: ServerCore): string[] {
  const name = 'apiserver_longrunning_requests';
  const lines = head(
    name,
    'gauge',
    '[STABLE] Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.',
  );
  for (const { resource, table } of core.catalogue.all()) {
    const { group, version, plural } = resource;
    if (table.watchers.size > 0)
      lines.push(
        `${name}{component="apiserver",group="${group}",resource="${plural}",scope="cluster",subresource="",verb="WATCH",version="${version}"} ${table.watchers.size}`,
      );
  }
  return lines;
}

function requests(core: ServerCore): string[] {
  const name = 'apiserver_request_total';
  const lines = [...(counts.get(core) ?? [])].map(([key, count]) => {
    const [code, verb, group, version, resource, subresource, scope] = key.split('|').map(labelText);
    return `${name}{code="${code}",component="apiserver",dry_run="",group="${group}",resource="${resource}",scope="${scope}",subresource="${subresource}",verb="${verb?.toUpperCase()}",version="${version}"} ${count}`;
  });
  return [
    ...head(
      name,
      'counter',
      '[STABLE] Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
    ),
    ...lines.sort(),
  ];
}

/** Escaped as the text format wants it. */
function labelText(text: string): string {
  return text.replaceAll(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

function objects(core: ServerCore): string[] {
  const name = 'apiserver_storage_objects';
  const sizes = new Map<string, number>();
  for (const { resource, table } of core.catalogue.all()) sizes.set(qualified(resource), table.size);
  return [
    ...head(
      name,
      'gauge',
      '[STABLE] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.',
    ),
    ...[...sizes].map(([resource, size]) => `${name}{resource="${resource}"} ${size}`).sort(),
  ];
}

function build(core: ServerCore): string[] {
  const name = 'kubernetes_build_info';
  const { major, minor, gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform } =
    versionInfo(core.version);
  const labels = {
    build_date: buildDate,
    compiler,
    git_commit: gitCommit,
    git_tree_state: gitTreeState,
    git_version: gitVersion,
    go_version: goVersion,
    major,
    minor,
    platform,
  };
  const text = Object.entries(labels)
    .map(([label, value]) => `${label}="${value ?? ''}"`)
    .join(',');
  return [
    ...head(
      name,
      'gauge',
      "[ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    ),
    `${name}{${text}} 1`,
  ];
}
