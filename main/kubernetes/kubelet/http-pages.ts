// What else the kubelet's port shows: its configuration, its few metrics, files under /var/log, containers' logs.
import { parse } from 'yaml';
import type { HttpResponse } from '../../network/http/index.ts';
import { ErrnoError } from '../../network/index.ts';
import type { Process } from '../../linux/kernel/index.ts';
import { StatusError } from '../api/index.ts';
import type { LogOptions } from '../apiserver/kubelet-connector.ts';
import type { KubeletConfig } from './config.ts';

export interface PagesWorld {
  readonly proc: Process;
  readonly config: KubeletConfig;
  /** How many pods have a sandbox, and how many containers are in which state. */
  readonly counts: () => {
    readonly pods: number;
    readonly containers: Readonly<Record<'created' | 'running' | 'exited', number>>;
  };
  /** A container's log. Rejects with StatusError; undefined for a pod that isn't this node's. */
  readonly log: (
    pod: { readonly namespace: string; readonly name: string },
    container: string,
    options: LogOptions,
  ) => Promise<AsyncIterable<Uint8Array>> | undefined;
}

/** Where the files are that `/logs/` shows. */
const LOG_FOLDER = '/var/log';
/** What there is at a real kubelet and not here. */
const UNSIMULATED =
  /^\/(metrics\/(cadvisor|probes)|runningpods|checkpoint|exec|attach|run|portForward|debug|flagz|statusz)(\/|$)/;

/** Answers one path; undefined for what the kubelet doesn't serve. */
export async function kubeletPage(
  world: PagesWorld,
  target: string,
  signal: AbortSignal,
): Promise<HttpResponse | undefined> {
  const [path = '', search = ''] = target.split('?');
  if (path === '/configz') return configuration(world);
  if (path === '/metrics') return text(200, metrics(world), 'text/plain; version=0.0.4; charset=utf-8');
  if (path === '/logs') return { status: 301, headers: [['Location', '/logs/']] };
  if (path.startsWith('/logs/')) return logFile(world, decodeURIComponent(path.slice('/logs'.length)));
  const [, namespace, name, container] = /^\/containerLogs\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (container !== undefined)
    return containerLog(
      world,
      { namespace: namespace!, name: name! },
      container,
      new URLSearchParams(search),
      signal,
    );
  if (UNSIMULATED.test(path)) return text(501, `drydock: the kubelet's ${path} isn't simulated\n`);
  return undefined;
}

/** Differs: what the file doesn't say isn't filled in with its default. */
function configuration({ proc, config }: PagesWorld): HttpResponse {
  const path = `${config.rootDirectory}/config.yaml`;
  const written: unknown = proc.fs.exists(path) ? parse(proc.fs.readText(path)) : {};
  const { apiVersion: _version, kind: _kind, ...kubeletconfig } = written as Record<string, unknown>;
  return text(200, JSON.stringify({ kubeletconfig }), 'application/json');
}

function metrics({ config, counts }: PagesWorld): string {
  const { pods, containers } = counts();
  return [
    "# HELP kubelet_node_name [ALPHA] The node's name. The count is always 1.",
    '# TYPE kubelet_node_name gauge',
    `kubelet_node_name{node="${config.nodeName}"} 1`,
    '# HELP kubelet_running_containers [ALPHA] Number of containers currently running',
    '# TYPE kubelet_running_containers gauge',
    ...Object.entries(containers).map(
      ([state, count]) => `kubelet_running_containers{container_state="${state}"} ${count}`,
    ),
    '# HELP kubelet_running_pods [ALPHA] Number of pods that have a running pod sandbox',
    '# TYPE kubelet_running_pods gauge',
    `kubelet_running_pods ${pods}`,
    '',
  ].join('\n');
}

/** As Go's http.FileServer shows a folder. */
function logFile({ proc }: PagesWorld, path: string): HttpResponse {
  const { fs } = proc;
  const full = `${LOG_FOLDER}${path.split('/').includes('..') ? '/' : path}`;
  try {
    if (fs.stat(full).type !== 'directory') return text(200, fs.readText(full));
    if (!path.endsWith('/')) return { status: 301, headers: [['Location', `${path.split('/').at(-1)!}/`]] };
    const names = fs
      .readdir(full)
      .map(({ name }) => (fs.stat(`${full}/${name}`).type === 'directory' ? `${name}/` : name))
      .sort();
    const links = names.map((name) => `<a href="${encodeURI(name)}">${escapeHtml(name)}</a>\n`).join('');
    return text(
      200,
      `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links}</pre>\n`,
      'text/html; charset=utf-8',
    );
  } catch (error) {
    if (error instanceof ErrnoError) return text(404, '404 page not found\n');
    throw error;
  }
}

function escapeHtml(name: string): string {
  return name.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

async function containerLog(
  { log }: PagesWorld,
  pod: { readonly namespace: string; readonly name: string },
  container: string,
  query: URLSearchParams,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const number = (name: string): number | undefined =>
    /^\d+$/.test(query.get(name) ?? '') ? Number(query.get(name)) : undefined;
  const isSet = (name: string): boolean => ['true', '1'].includes(query.get(name) ?? '');
  const sinceTime = query.get('sinceTime') ?? undefined;
  const [tailLines, limitBytes, sinceSeconds] = ['tailLines', 'limitBytes', 'sinceSeconds'].map(number);
  try {
    const body = await log(pod, container, {
      follow: isSet('follow'),
      previous: isSet('previous'),
      timestamps: isSet('timestamps'),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(limitBytes === undefined ? {} : { limitBytes }),
      ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
      ...(sinceTime === undefined ? {} : { sinceTime }),
      signal,
    });
    if (body === undefined) return text(404, `pod "${pod.name}" does not exist\n`);
    return { status: 200, headers: [['Content-Type', 'text/plain']], body };
  } catch (error) {
    if (error instanceof StatusError) return text(error.status.code ?? 500, `${error.status.message}\n`);
    throw error;
  }
}

function text(status: number, body: string, type = 'text/plain; charset=utf-8'): HttpResponse {
  return { status, headers: [['Content-Type', type]], body };
}
