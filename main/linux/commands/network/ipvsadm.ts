// ipvsadm(8), ipvsadm-save and ipvsadm-restore.
import {
  ErrnoError,
  parseIpv4,
  type IpvsDestination,
  type IpvsForwarding,
  type IpvsSchedulerName,
  type IpvsService,
  type IpvsServiceKey,
  type IpvsServiceOptions,
} from '../../../network/index.ts';
import { ProcessExit, type Process, type Program } from '../../kernel/index.ts';
import { Output } from '../frame/output.ts';
import {
  ADD_COMMANDS,
  IPVSADM_HELP,
  IpvsadmError,
  parseIpvsadm,
  TRY_HELP,
  type IpvsadmCommand,
} from './ipvsadm-options.ts';
import { lookupHost, lookupService, reverseLookup } from '../../libc/index.ts';

type Arguments = ReturnType<typeof parseIpvsadm>;

/** ipvsadm(8) */
export const ipvsadm: Program = (proc) => main(proc, proc.argv.slice(1));
/** ipvsadm-save(8) */
export const ipvsadmSave: Program = (proc) =>
  main(proc, ['-S', ...proc.argv.slice(1).filter((arg) => arg === '-n' || arg === '--numeric')]);
/** ipvsadm-restore(8) */
export const ipvsadmRestore: Program = (proc) => main(proc, ['-R']);

async function main(proc: Process, args: readonly string[]): Promise<number> {
  const out = new Output(proc, proc.stdout);
  try {
    if (!proc.can('NET_ADMIN'))
      throw new IpvsadmError(
        "Can't initialize ipvs: Permission denied (you must be root)\nAre you sure that IP Virtual Server is built in the kernel or as module?",
        2,
      );
    if (!proc.net.ipvs.isLoaded) proc.kernel.loadModule('ip_vs'); // As ipvsadm does with modprobe.
    const status = await new Tool(proc, out).run(args);
    await out.flush();
    return status;
  } catch (error) {
    if (error instanceof ProcessExit) throw error;
    await out.flush();
    if (error instanceof IpvsadmError) {
      if (error.message !== '') await proc.stderr.write(`${error.message}\n`);
      return error.exitCode;
    }
    if (
      error instanceof ErrnoError &&
      (error.code === 'ENOENT' || error.code === 'EPERM') &&
      !proc.net.ipvs.isLoaded
    ) {
      await proc.stderr.write(
        "Can't initialize ipvs: Protocol not available\nAre you sure that IP Virtual Server is built in the kernel or as module?\n",
      );
      return 2;
    }
    throw error;
  }
}

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

class Tool {
  private readonly proc: Process;
  private readonly out: Output;
  constructor(proc: Process, out: Output) {
    this.proc = proc;
    this.out = out;
  }

  private get ipvs(): Process['net']['ipvs'] {
    return this.proc.net.ipvs;
  }

  async run(args: readonly string[]): Promise<number> {
    const given = args.length === 0 ? ['-L'] : args;
    if (given[0] === '-h' || given[0] === '--help') {
      await this.out.put(IPVSADM_HELP);
      return 0;
    }
    if (given[0] === '-v' || given[0] === '--version') {
      await this.out.put('ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n');
      return 0;
    }
    const parsed = parseIpvsadm(given);
    return this.execute(parsed);
  }

  private async execute(parsed: Arguments): Promise<number> {
    const { ipvs } = this;
    const { command, options } = parsed;
    const key = await this.serviceKey(parsed);
    try {
      switch (command) {
        case 'list':
          return await this.list(parsed, key);
        case 'add-service':
          ipvs.addService(key!, this.serviceOptions(parsed, key!, undefined));
          return 0;
        case 'edit-service':
          ipvs.editService(key!, this.serviceOptions(parsed, key!, ipvs.getService(key!)?.options));
          return 0;
        case 'delete-service':
          ipvs.deleteService(key!);
          return 0;
        case 'add-server':
        case 'edit-server': {
          const destination = await this.destination(parsed, key!);
          if (command === 'add-server') ipvs.addDestination(key!, destination);
          else ipvs.editDestination(key!, destination);
          return 0;
        }
        case 'delete-server': {
          const { address, port } = await this.server(options.get('r')!, key!);
          ipvs.deleteDestination(key!, address, port);
          return 0;
        }
        case 'clear':
          ipvs.flush();
          return 0;
        case 'zero':
          ipvs.zero(key);
          return 0;
        case 'set': {
          const [tcp, tcpFin, udp] = parsed.timeouts!;
          ipvs.setTimeouts({ tcp: tcp!, tcpFin: tcpFin!, udp: udp! });
          return 0;
        }
        case 'save':
          return await this.save(options.has('n'));
        case 'restore':
          return await this.restore();
        default:
          throw new IpvsadmError("drydock: the IPVS synchronisation daemon isn't simulated", 1);
      }
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      throw new IpvsadmError(explain(error, command), 255);
    }
  }

  private async restore(): Promise<number> {
    const text = await this.proc.stdin.readText();
    for (const line of text.split('\n')) {
      const words = line
        .trim()
        .split(/\s+/)
        .filter((word) => word !== '');
      if (words.length === 0 || words[0]!.startsWith('#')) continue;
      const parsed = parseIpvsadm(words);
      if (!ADD_COMMANDS.includes(parsed.command)) throw new IpvsadmError(TRY_HELP, 255);
      const status = await this.execute(parsed);
      if (status !== 0) return status;
    }
    return 0;
  }

  // Names to numbers.

  private async address(text: string): Promise<string | undefined> {
    if (/^\[.*\]$/.test(text)) return text.slice(1, -1);
    if (parseIpv4(text) !== undefined) return text;
    if (/^[\d.]+$/.test(text)) return undefined;
    return (await lookupHost(this.proc, text)).addresses[0];
  }

  private async endpoint(text: string): Promise<Endpoint | undefined> {
    const match = /^(\[[^\]]*\]|[^:]*)(?::([^:]*))?$/.exec(text);
    if (match === null) return undefined;
    const address = await this.address(match[1]!);
    const portText = match[2];
    const port =
      portText === undefined ? 0 : /^\d+$/.test(portText) ? Number(portText) : lookupService(portText);
    if (address === undefined || port === undefined || port > 65_535) return undefined;
    return { address, port };
  }

  private async serviceKey(parsed: Arguments): Promise<IpvsServiceKey | undefined> {
    const { service } = parsed;
    if (service === undefined) return undefined;
    if (service.kind === 'f') {
      if (!/^\d+$/.test(service.text) || Number(service.text) === 0)
        throw new IpvsadmError('Illegal firewall mark specified', 2);
      return { firewallMark: Number(service.text) };
    }
    const endpoint = await this.endpoint(service.text);
    if (endpoint === undefined) throw new IpvsadmError('illegal virtual server address[:port] specified', 2);
    if (parsed.command === 'add-service' && endpoint.port === 0 && !parsed.options.has('p'))
      throw new IpvsadmError('Zero port specified for non-persistent service', 2);
    return { protocol: service.kind === 't' ? 'tcp' : service.kind === 'u' ? 'udp' : 'sctp', ...endpoint };
  }

  private serviceOptions(
    parsed: Arguments,
    key: IpvsServiceKey,
    old: IpvsServiceOptions | undefined,
  ): IpvsServiceOptions {
    const { options } = parsed;
    if (options.has('o') && !('protocol' in key && key.protocol === 'udp') && 'protocol' in key)
      throw new IpvsadmError('One-Packet Scheduling is only for UDP virtual services', 2);
    const timeout = options.get('p');
    const scheduler = (options.get('s') ?? 'wlc') as IpvsSchedulerName;
    return {
      scheduler,
      ...(timeout === undefined ? {} : { persistentSeconds: timeout === '' ? 360 : Number(timeout) }),
      ...(options.has('M') ? { persistenceMask: options.get('M')! } : {}),
      ...(options.has('o') ? { onePacket: true } : {}),
      ...(options.has('b') ? { schedulerFlags: options.get('b')!.split(',') } : {}),
      ...(old === undefined ? {} : {}),
    };
  }

  private async server(text: string, key: IpvsServiceKey): Promise<Endpoint> {
    const endpoint = await this.endpoint(text);
    if (endpoint === undefined) throw new IpvsadmError('illegal real server address[:port] specified', 2);
    const port = endpoint.port === 0 && 'port' in key ? key.port : endpoint.port;
    return { address: endpoint.address, port };
  }

  private async destination(
    parsed: Arguments,
    key: IpvsServiceKey,
  ): Promise<Parameters<Process['net']['ipvs']['addDestination']>[1]> {
    const { options } = parsed;
    const { address, port } = await this.server(options.get('r')!, key);
    let forwarding: IpvsForwarding = options.has('m') ? 'masq' : options.has('i') ? 'tunnel' : 'route';
    // A real server on this machine is served directly, whatever was asked for, unless it is masqueraded.
    if (forwarding !== 'masq' && this.proc.net.addresses.isLocal(address)) forwarding = 'local';
    const number = (letter: string, what: string): number | undefined => {
      const text = options.get(letter);
      if (text === undefined) return undefined;
      if (!/^\d+$/.test(text)) throw new IpvsadmError(`illegal ${what} specified`, 2);
      return Number(text);
    };
    const weight = number('w', 'weight') ?? 1;
    const upperThreshold = number('x', 'u_threshold');
    const lowerThreshold = number('y', 'l_threshold');
    return {
      address,
      port: forwarding === 'masq' || !('port' in key) ? port : key.port,
      forwarding: forwarding === 'local' ? 'route' : forwarding,
      weight,
      ...(upperThreshold === undefined ? {} : { upperThreshold }),
      ...(lowerThreshold === undefined ? {} : { lowerThreshold }),
    };
  }

  // Printing.

  private async list(parsed: Arguments, key: IpvsServiceKey | undefined): Promise<number> {
    const { options } = parsed;
    const numeric = options.has('n');
    if (options.has('c')) return this.connections(numeric, options.has('persistent-conn'));
    if (options.has('timeout')) {
      const { tcp, tcpFin, udp } = this.ipvs.timeouts;
      await this.out.line(`Timeout (tcp tcpfin udp): ${tcp} ${tcpFin} ${udp}`);
      return 0;
    }
    if (options.has('daemon')) return 0;
    const services = key === undefined ? this.ipvs.listServices() : [this.ipvs.getService(key)];
    if (services.includes(undefined)) {
      await this.proc.stderr.write('No such service\n');
      return 1;
    }
    const list = services.filter((one) => one !== undefined);
    if (!options.has('nosort')) list.sort(compareServices);
    if (key === undefined) await this.out.line('IP Virtual Server version 1.2.1 (size=4096)');
    const mode =
      ['stats', 'rate', 'thresholds', 'persistent-conn'].find((name) => options.has(name)) ?? 'default';
    await this.out.put(HEADERS[mode]!);
    for (const service of list)
      await this.showService(service, mode, numeric, options.has('exact'), options.has('nosort'));
    return 0;
  }

  private async showService(
    service: IpvsService,
    mode: string,
    numeric: boolean,
    exact: boolean,
    unsorted: boolean,
  ): Promise<void> {
    const name = await this.serviceName(service.key, numeric);
    const figures = mode === 'stats' ? statFigures : mode === 'rate' ? rateFigures : undefined;
    if (figures !== undefined)
      await this.out.line(
        `${name.padEnd(33)}${figures(service)
          .map((value) => ` ${large(value, exact)}`)
          .join('')}`,
      );
    else await this.out.line(`${name} ${schedulerText(service.options)}`);
    // The kernel lists the newest destination first; ipvsadm sorts them.
    const destinations = unsorted
      ? service.destinations
      : service.destinations.toSorted((a, b) => compareAddresses(a.address, b.address) || a.port - b.port);
    for (const destination of destinations) {
      const text = await this.endpointName(
        destination.address,
        destination.port,
        numeric,
        protocolOf(service.key),
      );
      const tail = `  -> ${text}`;
      if (figures !== undefined)
        await this.out.line(
          `${tail.padEnd(33)}${figures(destination)
            .map((value) => ` ${large(value, exact)}`)
            .join('')}`,
        );
      else await this.out.line(`${`  -> ${text.padEnd(28)}`} ${columns(destination, mode)}`);
    }
  }

  private async serviceName(key: IpvsServiceKey, numeric: boolean): Promise<string> {
    if ('firewallMark' in key) return `FWM  ${key.firewallMark}`;
    return `${key.protocol.toUpperCase().padEnd(4)} ${await this.endpointName(key.address, key.port, numeric, key.protocol)}`;
  }

  private async endpointName(
    address: string,
    port: number,
    numeric: boolean,
    _protocol: string,
  ): Promise<string> {
    if (address.includes(':')) return `[${address}]:${numeric ? port : (lookupService(port) ?? port)}`;
    if (numeric) return `${address}:${port}`;
    return `${(await reverseLookup(this.proc, address)) ?? address}:${lookupService(port) ?? port}`;
  }

  private async connections(numeric: boolean, persistent: boolean): Promise<number> {
    await this.out.put(
      `IPVS connection entries\npro expire state       source             virtual            destination${persistent ? '        pe name          pe_data' : ''}\n`,
    );
    for (const one of this.ipvs.listConnections()) {
      const seconds = Math.max(0, Math.floor(one.expiresSeconds));
      const expires = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
      const name = async (end: Endpoint): Promise<string> =>
        this.endpointName(end.address, end.port, numeric, one.protocol.toLowerCase());
      await this.out.line(
        `${one.protocol.padEnd(3)} ${expires}  ${one.state.padEnd(11)} ${(await name(one.client)).padEnd(18)} ${(await name(one.virtual)).padEnd(18)} ${await name(one.destination)}`,
      );
    }
    return 0;
  }

  private async save(numeric: boolean): Promise<number> {
    for (const service of this.ipvs.listServices().toSorted(compareServices)) {
      const { key, options } = service;
      const name =
        'firewallMark' in key
          ? `-f ${key.firewallMark}`
          : `${{ tcp: '-t', udp: '-u', sctp: '--sctp-service' }[key.protocol]} ${await this.endpointName(key.address, key.port, numeric, key.protocol)}`;
      const persistent =
        options.persistentSeconds === undefined
          ? ''
          : ` -p ${options.persistentSeconds}${maskText(options) === undefined ? '' : ` -M ${maskText(options)}`}`;
      const flags =
        (options.schedulerFlags?.length ?? 0) > 0 ? ` -b ${options.schedulerFlags!.join(',')}` : '';
      await this.out.line(
        `-A ${name} -s ${options.scheduler}${persistent}${options.onePacket === true ? ' -o' : ''}${flags}`,
      );
      for (const destination of service.destinations.toSorted(
        (a, b) => compareAddresses(a.address, b.address) || a.port - b.port,
      )) {
        await this.out.line(
          `-a ${name} -r ${await this.endpointName(destination.address, destination.port, numeric, protocolOf(key))} ${{ masq: '-m', route: '-g', tunnel: '-i', local: '-g' }[destination.forwarding]} -w ${destination.weight}`,
        );
      }
    }
    return 0;
  }
}

function protocolOf(key: IpvsServiceKey): string {
  return 'protocol' in key ? key.protocol : 'tcp';
}

function explain(error: ErrnoError, command: IpvsadmCommand): string {
  switch (error.code) {
    case 'EEXIST':
      return command === 'add-server' ? 'Destination already exists' : 'Service already exists';
    case 'ESRCH':
      return command === 'add-server' || command === 'edit-server' || command === 'delete-server'
        ? 'Service not defined'
        : 'No such service';
    case 'ENOENT':
      return command === 'add-service' || command === 'edit-service'
        ? 'Scheduler or persistence engine not found'
        : 'No such destination';
    case 'EPERM':
      return 'Permission denied (you must be root)';
    default:
      return error.message;
  }
}

const HEADERS: Readonly<Record<string, string>> = {
  default:
    'Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n',
  stats:
    'Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n  -> RemoteAddress:Port\n',
  rate: 'Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n  -> RemoteAddress:Port\n',
  thresholds:
    'Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n  -> RemoteAddress:Port\n',
  'persistent-conn':
    'Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n  -> RemoteAddress:Port\n',
};

const FORWARDING = { masq: 'Masq', route: 'Route', tunnel: 'Tunnel', local: 'Local' } as const;

function columns(destination: IpvsDestination, mode: string): string {
  const { activeConnections, inactiveConnections } = destination;
  const end = `${String(activeConnections).padEnd(10)} ${String(inactiveConnections).padEnd(10)}`;
  if (mode === 'thresholds')
    return `${String(destination.upperThreshold).padEnd(10)} ${String(destination.lowerThreshold).padEnd(10)} ${end}`;
  if (mode === 'persistent-conn')
    return `${String(destination.weight).padEnd(9)} ${String(destination.persistentConnections).padEnd(11)} ${end}`;
  return `${FORWARDING[destination.forwarding].padEnd(7)} ${String(destination.weight).padEnd(6)} ${end}`;
}

function maskText(options: IpvsServiceOptions): string | undefined {
  return options.persistenceMask === undefined || options.persistenceMask === '255.255.255.255'
    ? undefined
    : options.persistenceMask;
}

function schedulerText(options: IpvsServiceOptions): string {
  let text: string = options.scheduler;
  if ((options.schedulerFlags?.length ?? 0) > 0) text += ` (${options.schedulerFlags!.join(',')})`;
  if (options.persistentSeconds !== undefined)
    text += ` persistent ${options.persistentSeconds}${maskText(options) === undefined ? '' : ` mask ${maskText(options)}`}`;
  return text + (options.onePacket === true ? ' ops' : '');
}

function statFigures({ stats }: IpvsService | IpvsDestination): number[] {
  return [stats.connections, stats.inPackets, stats.outPackets, stats.inBytes, stats.outBytes];
}

function rateFigures({ rates }: IpvsService | IpvsDestination): number[] {
  return [
    rates.connectionsPerSecond,
    rates.inPacketsPerSecond,
    rates.outPacketsPerSecond,
    rates.inBytesPerSecond,
    rates.outBytesPerSecond,
  ];
}

/** Eight columns: figures above 99999 are shortened unless exact. */
function large(value: number, exact: boolean): string {
  if (exact) return String(Math.floor(value)).padStart(8);
  if (value < 100_000) return String(Math.floor(value)).padStart(8);
  if (value < 100_000_000) return `${String(Math.floor(value / 1000)).padStart(7)}K`;
  if (value < 100_000_000_000) return `${String(Math.floor(value / 1_000_000)).padStart(7)}M`;
  return `${String(Math.floor(value / 1_000_000_000)).padStart(7)}G`;
}

/** By address as a signed number, as ipvsadm's qsort takes it. */
function compareAddresses(a: string, b: string): number {
  const [x, y] = [parseIpv4(a), parseIpv4(b)];
  if (x === undefined || y === undefined)
    return x === y ? (a < b ? -1 : a > b ? 1 : 0) : x === undefined ? 1 : -1;
  return (x | 0) - (y | 0);
}

const RANKS = { tcp: 6, udp: 17, sctp: 132 } as const;

/** By mark last, then family, protocol, address (signed) and port. */
function compareServices(a: IpvsService, b: IpvsService): number {
  const [x, y] = [a.key, b.key];
  if ('firewallMark' in x || 'firewallMark' in y)
    return 'firewallMark' in x && 'firewallMark' in y
      ? x.firewallMark - y.firewallMark
      : 'firewallMark' in x
        ? 1
        : -1;
  const six = (address: string): number => Number(address.includes(':'));
  return (
    six(x.address) - six(y.address) ||
    RANKS[x.protocol] - RANKS[y.protocol] ||
    compareAddresses(x.address, y.address) ||
    x.port - y.port
  );
}
