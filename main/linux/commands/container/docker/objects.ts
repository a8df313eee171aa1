// docker network, volume, system and prune: what isn't a container or an image.
import { EngineError } from '../../../docker/index.ts';
import { decimalSize, splitReference } from '../runtime.ts';
import { CliError, parseFlags } from './flags.ts';
import { printRows, tabulate } from './listing.ts';
import { makeTemplate } from './template.ts';
import { listShown, type World } from './world.ts';

export async function network(world: World, [verb = '', ...args]: readonly string[]): Promise<number> {
  const { engine } = world;
  switch (verb) {
    case 'ls':
    case 'list': {
      const flags = parseFlags(`${world.program} network ls`, args, 'q,quiet no-trunc f,filter= format=');
      const rows = engine.listNetworks().map((each) => ({
        ID: flags.has('no-trunc') ? each.id : each.id.slice(0, 12),
        Name: each.name,
        Driver: each.driver,
        Scope: 'local',
      }));
      if (flags.has('quiet')) await world.print(rows.map(({ ID }) => `${ID}\n`).join(''));
      else
        await printRows(
          world,
          flags,
          [
            ['ID', 'NETWORK ID'],
            ['Name', 'NAME'],
            ['Driver', 'DRIVER'],
            ['Scope', 'SCOPE'],
          ],
          rows,
        );
      return 0;
    }
    case 'create': {
      const flags = parseFlags(
        `${world.program} network create`,
        args,
        'd,driver= subnet= gateway= label= o,opt= internal attachable ip-range=',
      );
      const name = flags.operands[0];
      if (name === undefined)
        throw usage(world, 'network create', 'exactly 1 argument', '[OPTIONS] NETWORK', 'Create a network');
      const labels = Object.fromEntries(
        flags.values('label').map((each) => each.split(/=(.*)/s).slice(0, 2) as [string, string]),
      );
      await world.print(
        `${engine.createNetwork(name, { subnet: flags.value('subnet'), driver: flags.value('driver'), labels }).id}\n`,
      );
      return 0;
    }
    case 'rm':
    case 'remove':
      return each(world, args, (name) => {
        engine.removeNetwork(name);
        return name;
      });
    case 'inspect': {
      const flags = parseFlags(`${world.program} network inspect`, args, 'f,format= v,verbose');
      return inspectAll(world, flags.operands, flags.value('format'), (name) => {
        const found = engine.listNetworks().find((one) => one.name === name || one.id.startsWith(name));
        if (found === undefined) throw new EngineError('not-found', `No such network: ${name}`, 1);
        return networkObject(world, found.name);
      });
    }
    case 'prune': {
      const gone = engine
        .listNetworks()
        .filter(
          ({ name }) =>
            !['bridge', 'host', 'none'].includes(name) &&
            !engine.list().some(({ spec, state }) => spec.network === name && state === 'running'),
        );
      for (const { name } of gone) engine.removeNetwork(name);
      await world.print(
        gone.length === 0 ? '' : `Deleted Networks:\n${gone.map(({ name }) => `${name}\n`).join('')}\n`,
      );
      return 0;
    }
    case 'connect':
    case 'disconnect':
      throw new CliError(`drydock: docker network ${verb} isn't simulated`);
    default:
      throw new CliError(
        `\nUsage:  ${world.program} network COMMAND\n\nManage networks\n\nCommands:\n  connect     Connect a container to a network\n  create      Create a network\n  disconnect  Disconnect a container from a network\n  inspect     Display detailed information on one or more networks\n  ls          List networks\n  prune       Remove all unused networks\n  rm          Remove one or more networks\n\nRun '${world.program} network COMMAND --help' for more information on a command.`,
        verb === '' ? 0 : 1,
      );
  }
}

function networkObject(world: World, name: string): unknown {
  const found = world.engine.listNetworks().find((one) => one.name === name)!;
  const inside = world.engine
    .list()
    .filter(({ spec, state, address }) => state === 'running' && spec.network === name && address !== '');
  const prefix = found.subnet.split('/')[1] ?? '16';
  const isDefault = name === 'bridge';
  return {
    Name: found.name,
    Id: found.id,
    Created: new Date(Math.floor(found.createdMs)).toISOString(),
    Scope: 'local',
    Driver: found.driver,
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: isDefault ? null : {},
      Config: found.driver === 'bridge' ? [{ Subnet: found.subnet, Gateway: found.gateway }] : [],
    },
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      inside.map((one) => [
        one.id,
        {
          Name: one.spec.name,
          EndpointID: one.id.split('').reverse().join(''),
          MacAddress: one.mac,
          IPv4Address: `${one.address}/${prefix}`,
          IPv6Address: '',
        },
      ]),
    ),
    Options: isDefault
      ? {
          'com.docker.network.bridge.default_bridge': 'true',
          'com.docker.network.bridge.enable_icc': 'true',
          'com.docker.network.bridge.enable_ip_masquerade': 'true',
          'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
          'com.docker.network.bridge.name': found.bridge,
          'com.docker.network.driver.mtu': '1500',
        }
      : {},
    Labels: found.labels,
  };
}

export async function volume(world: World, [verb = '', ...args]: readonly string[]): Promise<number> {
  const { engine } = world;
  switch (verb) {
    case 'ls':
    case 'list': {
      const flags = parseFlags(`${world.program} volume ls`, args, 'q,quiet f,filter= format=');
      const rows = engine.listVolumes().map(({ name, mountpoint }) => ({
        Driver: 'local',
        Name: name,
        Mountpoint: mountpoint,
        Scope: 'local',
      }));
      if (flags.has('quiet')) await world.print(rows.map(({ Name }) => `${Name}\n`).join(''));
      else
        await printRows(
          world,
          flags,
          [
            ['Driver', 'DRIVER'],
            ['Name', 'VOLUME NAME'],
          ],
          rows,
        );
      return 0;
    }
    case 'create': {
      const flags = parseFlags(`${world.program} volume create`, args, 'name= d,driver= label= o,opt=');
      await world.print(`${engine.createVolume(flags.operands[0] ?? flags.value('name')).name}\n`);
      return 0;
    }
    case 'rm':
    case 'remove':
      return each(world, parseFlags(`${world.program} volume rm`, args, 'f,force').operands, (name) => {
        engine.removeVolume(name);
        return name;
      });
    case 'inspect': {
      const flags = parseFlags(`${world.program} volume inspect`, args, 'f,format=');
      return inspectAll(world, flags.operands, flags.value('format'), (name) => {
        const found = engine.listVolumes().find((one) => one.name === name);
        if (found === undefined) throw new EngineError('not-found', `No such volume: ${name}`, 1);
        return {
          CreatedAt: new Date(Math.floor(found.createdMs)).toISOString().replace(/\.\d+Z$/, 'Z'),
          Driver: 'local',
          Labels: {},
          Mountpoint: found.mountpoint,
          Name: found.name,
          Options: {},
          Scope: 'local',
        };
      });
    }
    case 'prune': {
      const used = new Set(engine.list().flatMap(({ spec }) => spec.mounts.map(({ source }) => source)));
      const gone = engine.listVolumes().filter(({ name }) => !used.has(name));
      for (const { name } of gone) engine.removeVolume(name);
      await world.print(
        `${gone.length === 0 ? '' : `Deleted Volumes:\n${gone.map(({ name }) => `${name}\n`).join('')}\n`}Total reclaimed space: 0B\n`,
      );
      return 0;
    }
    default:
      throw new CliError(
        `\nUsage:  ${world.program} volume COMMAND\n\nManage volumes\n\nCommands:\n  create      Create a volume\n  inspect     Display detailed information on one or more volumes\n  ls          List volumes\n  prune       Remove all unused local volumes\n  rm          Remove one or more volumes\n\nRun '${world.program} volume COMMAND --help' for more information on a command.`,
        verb === '' ? 0 : 1,
      );
  }
}

/** Prints JSON objects, or each through a template; what isn't there is told at the end. */
export async function inspectAll(
  world: World,
  names: readonly string[],
  format: string | undefined,
  find: (name: string) => unknown,
): Promise<number> {
  const found: unknown[] = [];
  const missing: string[] = [];
  for (const name of names) {
    try {
      found.push(find(name));
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      missing.push(error.message);
    }
  }
  const template =
    format === undefined || format === 'json'
      ? undefined
      : makeTemplate(format.replaceAll('\\t', '\t').replaceAll('\\n', '\n'));
  if (template === undefined)
    await world.print(
      `${found.length === 0 ? '[]' : JSON.stringify(found, undefined, format === 'json' ? 0 : 4)}\n`,
    );
  else for (const one of found) await world.print(`${template(one)}\n`);
  for (const message of missing) await world.complain(`Error: ${message}\n`);
  return missing.length > 0 ? 1 : 0;
}

/** One after the other; a failure doesn't keep the rest from being done. */
export async function each(
  world: World,
  names: readonly string[],
  act: (name: string) => string | Promise<string>,
  isPlain = true,
): Promise<number> {
  let status = 0;
  for (const name of names) {
    try {
      await world.print(`${await world.proc.interruptible(Promise.resolve(act(name)))}\n`);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      status = 1;
      await world.complain(
        `${isPlain && error.kind === 'not-found' ? 'Error: ' : 'Error response from daemon: '}${error.message}\n`,
      );
    }
  }
  return status;
}

export function usage(world: World, command: string, wants: string, form: string, summary: string): CliError {
  return new CliError(
    `"${world.program} ${command}" requires ${wants}.\nSee '${world.program} ${command} --help'.\n\nUsage:  ${world.program} ${command} ${form}\n\n${summary}`,
  );
}

export async function system(world: World, [verb = '', ...args]: readonly string[]): Promise<number> {
  if (verb === 'info') return info(world);
  if (verb === 'prune') return prune(world, 'system', args);
  if (verb !== 'df') throw new CliError(`drydock: docker system ${verb} isn't simulated`);
  const shown = listShown(world);
  const images = world.images.list();
  const used = new Set(shown.map(({ imageId }) => imageId));
  const total = images.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const free = images.filter(({ id }) => !used.has(id)).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const size = (bytes: number): string =>
    bytes === 0 ? '0B' : decimalSize(Number(bytes.toPrecision(4))).replace(/^([\d.]+)/, (text) => text);
  const active = shown.filter(({ state }) => state === 'running').length;
  await world.print(
    tabulate([
      ['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'],
      [
        'Images',
        String(images.length),
        String(images.filter(({ id }) => used.has(id)).length),
        fourDigits(total),
        `${fourDigits(free)}${total === 0 ? '' : ` (${Math.floor((free / total) * 100)}%)`}`,
      ],
      ['Containers', String(shown.length), String(active), size(0), '0B'],
      ['Local Volumes', String(world.engine.listVolumes().length), '0', '0B', '0B'],
      ['Build Cache', '0', '0', '0B', '0B'],
    ]),
  );
  return 0;
}

/** go-units HumanSizeWithPrecision with four digits. */
function fourDigits(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

/** container, image or system prune; without -f it would ask. */
export async function prune(
  world: World,
  what: 'container' | 'image' | 'system',
  args: readonly string[],
): Promise<number> {
  const flags = parseFlags(`${world.program} ${what} prune`, args, 'f,force a,all volumes filter=');
  if (!flags.has('force')) {
    await world.print(
      `WARNING! This will remove all ${what === 'container' ? 'stopped containers' : what === 'image' ? (flags.has('all') ? 'images without at least one container associated to them' : 'dangling images') : 'unused data'}.\nAre you sure you want to continue? [y/N] `,
    );
    const answer = Buffer.from(await world.proc.stdin.read(64))
      .toString()
      .trim()
      .toLowerCase();
    if (!answer.startsWith('y')) return 0;
  }
  let reclaimed = 0;
  if (what !== 'image') {
    const gone = world.engine
      .list(world.namespace)
      .filter(({ state }) => state !== 'running' && state !== 'paused');
    for (const { id } of gone) await world.engine.remove(id, { force: false, volumes: false });
    if (gone.length > 0)
      await world.print(`Deleted Containers:\n${gone.map(({ id }) => `${id}\n`).join('')}\n`);
  }
  if (what !== 'container') {
    const used = new Set(listShown(world).map(({ imageId }) => imageId));
    const gone = world.images
      .list()
      .filter(({ id, repoTags }) => !used.has(id) && (flags.has('all') || repoTags.length === 0));
    for (const { id, sizeBytes } of gone) {
      world.images.remove(id);
      reclaimed += sizeBytes;
    }
    if (gone.length > 0)
      await world.print(
        `Deleted Images:\n${gone
          .map(
            ({ id, repoTags }) =>
              `${repoTags
                .map((tag) => {
                  const { repository, tag: name } = splitReference(tag, true);
                  return `untagged: ${repository}:${name}\n`;
                })
                .join('')}deleted: ${id}\n`,
          )
          .join('')}\n`,
      );
  }
  await world.print(`Total reclaimed space: ${fourDigits(reclaimed)}\n`);
  return 0;
}

export async function info(world: World): Promise<number> {
  const shown = listShown(world);
  const count = (state: string): number => shown.filter((one) => one.state === state).length;
  const { kernel } = world.proc;
  await world.print(
    `Client:\n Context:    default\n Debug Mode: false\n\nServer:\n Containers: ${shown.length}\n  Running: ${count('running')}\n  Paused: ${count('paused')}\n  Stopped: ${count('exited') + count('created')}\n Images: ${world.images.list().length}\n Server Version: ${world.engine.version}\n` +
      ` Storage Driver: overlay2\n  Backing Filesystem: extfs\n  Supports d_type: true\n  Native Overlay Diff: true\n  userxattr: false\n Logging Driver: json-file\n Cgroup Driver: systemd\n Cgroup Version: 2\n Plugins:\n  Volume: local\n  Network: bridge host ipvlan macvlan null overlay\n  Log: awslogs fluentd gcplogs gelf journald json-file local logentries splunk syslog\n` +
      ` Swarm: inactive\n Runtimes: io.containerd.runc.v2 io.containerd.runtime.v1.linux runc\n Default Runtime: runc\n Init Binary: docker-init\n containerd version: ${world.runtime?.version ?? '1.6.33'}\n runc version: v1.1.12-0-g51d5e94\n init version: de40ad0\n Security Options:\n  seccomp\n   Profile: builtin\n Kernel Version: ${kernel.release}\n Operating System: CentOS Linux 7 (Core)\n OSType: linux\n Architecture: x86_64\n CPUs: ${kernel.cpuCount}\n Total Memory: ${(kernel.memoryBytes / 1024 ** 3).toFixed(3).replace(/\.?0+$/, '')}GiB\n Name: ${kernel.hostname}\n Docker Root Dir: /var/lib/docker\n Debug Mode: false\n Experimental: false\n Insecure Registries:\n  127.0.0.0/8\n Live Restore Enabled: false\n`,
  );
  return 0;
}
