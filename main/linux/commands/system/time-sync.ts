// chronyc(1), ntpdate(8), hwclock(8): the clock of a virtual machine is always right.
import type { Process, Program } from '../../kernel/index.ts';
import { systemdSocket } from '../../systemd/index.ts';
import { command, Failure } from '../frame/command.ts';
import { strftime, UTC, zoneOf } from '../frame/time.ts';

function daemonRuns({ kernel }: Process): boolean {
  return kernel.connectService(systemdSocket).status('chronyd').activeState === 'active';
}

/** chronyc(1): tracking, sources, makestep. */
export const chronyc: Program = command(
  { short: 'ahcdnNvm46', usage: '[OPTION]... [COMMAND]...' },
  async (it) => {
    const { proc } = it;
    const [verb = ''] = it.operands;
    if (!daemonRuns(proc)) {
      await it.out.line('506 Cannot talk to daemon');
      return 1;
    }
    switch (verb) {
      case 'tracking':
        await it.out.put(
          `Reference ID    : 7F7F0101 ()\nStratum         : 10\nRef time (UTC)  : ${strftime('%a %b %d %T %Y', proc.clock.now(), UTC)}\nSystem time     : 0.000000000 seconds fast of NTP time\nLast offset     : +0.000000000 seconds\nRMS offset      : 0.000000000 seconds\nFrequency       : 0.000 ppm slow\nResidual freq   : +0.000 ppm\nSkew            : 0.000 ppm\nRoot delay      : 0.000000000 seconds\nRoot dispersion : 0.000000000 seconds\nUpdate interval : 0.0 seconds\nLeap status     : Normal\n`,
        );
        return 0;
      case 'sources':
        await it.out.put(
          'MS Name/IP address         Stratum Poll Reach LastRx Last sample               \n===============================================================================\n',
        );
        return 0;
      case 'makestep':
      case 'burst':
      case 'online':
      case 'offline':
        await it.out.line('200 OK');
        return 0;
      case '':
        throw new Failure("drydock: chronyc's own prompt isn't simulated");
      default:
        await it.out.line('Unrecognized command');
        return 1;
    }
  },
);

/** hwclock(8) */
export const hwclock: Program = command(
  {
    short: 'arswuvl',
    long: ['show>r', 'hctosys>s', 'systohc>w', 'utc>u', 'localtime>l'],
    usage: '[function] [option...]',
    version: 'from util-linux 2.38.1',
  },
  async (it) => {
    const { proc, options } = it;
    if (proc.credentials.uid !== 0)
      throw new Failure(
        'Cannot access the Hardware Clock via any known method.\nhwclock: Use the --verbose option to see the details of our search for an access method.',
      );
    if (options.has('s', 'w')) return;
    await it.out.line(
      `${strftime('%F %T.%6N', proc.clock.now(), zoneOf(proc))}${strftime('%z', proc.clock.now(), zoneOf(proc)).replace(/(\d\d)$/, ':$1')}`,
    );
  },
);
