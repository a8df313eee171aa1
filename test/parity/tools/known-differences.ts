// Transcripts that the virtual tools don't reproduce, by folder, with the reason. The lists may only get shorter.

const HELP = 'the help text is shortened';
const OTHER_MACHINE = 'shows the hardware, the files or the kernel of the recorded machine';
const UNITS = "lists services of the recorded Debian that this machine doesn't have";

export const KNOWN = {
  systemctl: {
    '11-status-badexec':
      'the recorded journal lost the line of the failed step EXEC: the process was gone before it was looked up',
    '31-list-units': UNITS,
    '32-list-unit-files': UNITS,
    '33-list-timers': UNITS,
    '39-version': "Debian's version text",
    '41-get-default': 'graphical.target is the default of Debian, multi-user.target that of servers',
  },
  journalctl: {
    '04-o-json': 'fields stand in the order of a hash table, and some of them are missing',
    '12-list-boots': 'the recorded machine had been started three times',
  },
  yum: {
    '08-install-prompt-n': 'the recorded answer was typed before the question came',
    '12-info': 'the description is the summary',
    '23-badopt': HELP,
    '24-noargs': HELP,
    '26-nonroot': "a traceback of Debian's dnf, which has no package database of its own",
  },
  rpm: {},
  misc: {
    '04-mount-proc': OTHER_MACHINE,
    '05-uname-a': OTHER_MACHINE,
    '08-lsmod-ipvs': 'counts the users inside the kernel, which are not counted',
    '10-lscpu': OTHER_MACHINE,
    '11-ps-ef': OTHER_MACHINE,
    '12-ps-aux': OTHER_MACHINE,
    '13-top-bn1': OTHER_MACHINE,
    '14-os-release': OTHER_MACHINE,
    '15-hostnamectl': OTHER_MACHINE,
    '16-timedatectl': 'the recorded machine had no NTP service',
    '17-who': "the recorder's terminal was nobody's login",
    '18-lsns': OTHER_MACHINE,
    '19-dmesg': OTHER_MACHINE,
    '22-tree': OTHER_MACHINE,
  },
} satisfies Readonly<Record<string, Readonly<Record<string, string>>>>;
