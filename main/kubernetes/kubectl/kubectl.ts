// One run of kubectl: its process, global flags, and what they lead to (configuration, server, resources).
import type { Process } from '../../linux/kernel/index.ts';
import type { KubernetesObject } from '../api/index.ts';
import { HttpApi } from '../client/http-client.ts';
import { loadKubeconfig, restConfig, type Kubeconfig, type RestConfig } from '../client/kubeconfig.ts';
import { CommandError } from './frame/command-error.ts';
import { dialFrom } from '../client/dial.ts';
import { discover, ResourceMapper } from './rest/discovery.ts';
import { OpenApi } from './rest/open-api.ts';
import type { FlagValues } from './frame/flags.ts';

/** What differs between kubectl releases. */
export interface KubectlVersion {
  /** Such as `v1.32.4`. */
  readonly gitVersion: string;
  readonly kustomizeVersion: string;
}

/** Everything that a command's code shares. Configuration, connection and discovery come when first asked for. */
export class Kubectl implements Disposable {
  readonly proc: Process;
  readonly version: KubectlVersion;
  readonly flags: FlagValues;
  private loaded: Kubeconfig | undefined;
  private client: HttpApi | undefined;
  private documents: OpenApi | undefined;
  private resources: Promise<ResourceMapper> | undefined;
  private readonly warned = new Set<string>();

  constructor(proc: Process, version: KubectlVersion, flags: FlagValues) {
    this.proc = proc;
    this.version = version;
    this.flags = flags;
  }

  get kubeconfig(): Kubeconfig {
    try {
      return (this.loaded ??= loadKubeconfig(this.proc, this.flags.string('kubeconfig')));
    } catch (error) {
      throw new CommandError(error instanceof Error ? error.message : String(error));
    }
  }

  /** The files that make up the configuration; one that is named needn't be there yet. */
  get kubeconfigFiles(): readonly string[] {
    const explicit = this.flags.string('kubeconfig');
    return explicit === '' ? this.kubeconfig.files : [explicit];
  }

  get config(): RestConfig {
    const { flags } = this;
    const text = (name: string): string | undefined =>
      flags.changedGlobally(name) ? flags.string(name) : undefined;
    try {
      return restConfig(this.proc, this.kubeconfig, {
        ...only('context', text('context')),
        ...only('cluster', text('cluster')),
        ...only('user', text('user')),
        ...only('server', text('server')),
        ...only('token', text('token')),
        ...only('namespace', text('namespace') === '' ? undefined : text('namespace')),
        ...only('certificateAuthority', text('certificate-authority')),
        ...only('clientCertificate', text('client-certificate')),
        ...only('clientKey', text('client-key')),
        ...only(
          'insecureSkipTlsVerify',
          flags.changed('insecure-skip-tls-verify') ? flags.bool('insecure-skip-tls-verify') : undefined,
        ),
        ...only(
          'impersonate',
          flags.changed('as') ? { user: flags.string('as'), groups: flags.list('as-group') } : undefined,
        ),
      });
    } catch (error) {
      throw new CommandError(error instanceof Error ? error.message : String(error));
    }
  }

  get namespace(): string {
    return this.config.namespace;
  }

  /** True when the person named a namespace on the line. */
  get enforceNamespace(): boolean {
    return this.flags.changed('namespace');
  }

  /** Where an object of a file goes. Throws CommandError when file and flag disagree. */
  namespaceOf({ metadata }: KubernetesObject): string {
    const own = metadata?.namespace;
    if (own === undefined || own === '') return this.namespace;
    if (this.enforceNamespace && own !== this.namespace) {
      throw new CommandError(
        `the namespace from the provided object "${own}" does not match the namespace "${this.namespace}". You must pass '--namespace=${own}' to perform this operation.`,
      );
    }
    return own;
  }

  get api(): HttpApi {
    const { proc } = this;
    return (this.client ??= new HttpApi({
      config: this.config,
      sockets: proc.net.sockets,
      random: proc.random,
      dial: dialFrom(proc, this.config),
      userAgent: `kubectl/${this.version.gitVersion} (linux/amd64) kubernetes`,
      onWarning: (text) => this.warn(text),
    }));
  }

  get openApi(): OpenApi {
    return (this.documents ??= new OpenApi(this.api));
  }

  mapper(): Promise<ResourceMapper> {
    return (this.resources ??= discover(this.api).then((resources) => new ResourceMapper(resources)));
  }

  async out(text: string): Promise<void> {
    await this.proc.stdout.write(text);
  }

  async err(text: string): Promise<void> {
    await this.proc.stderr.write(text);
  }

  [Symbol.dispose](): void {
    this.client?.[Symbol.dispose]();
  }

  /** The server's warnings, each once. */
  private warn(text: string): void {
    if (this.warned.has(text)) return;
    this.warned.add(text);
    void this.proc.stderr.write(`Warning: ${text}\n`);
  }
}

function only<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [K in Key]: Value });
}
