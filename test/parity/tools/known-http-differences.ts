// Transcripts of curl, wget, nc and telnet that aren't reproduced, with the reason. The lists may only get shorter.

export const KNOWN_HTTP: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  curl: {},
  wget: {
    '21-busybox-timeout': 'the real busybox of Debian 12 crashes there (139)',
  },
};
