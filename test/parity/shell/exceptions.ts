// Golden cases that are known to differ, with the reason. The golden test names those that have become identical.

export const EXCEPTIONS: Readonly<Record<string, string>> = {
  'err-perm-notroot':
    "the recording's /root is 0700, as Debian has it; here it is 0550, as CentOS has it, and group 0 may enter",
};

const PIECE =
  'bash names another stretch of the text in its message: it is where its parser has come to then';

/** Generated scripts of the usual seed that are known to differ, with the reason. */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'dash/386': '$(( that is no arithmetic: dash looks for its end elsewhere',
  'dash/398': 'a command in the background and one in the foreground write at the same time',
  'drydock/23': 'unquoted $@ within [[ … -eq … ]]: bash leaves empty parameters out of the message',
  'drydock/214': PIECE,
  'drydock/407': 'unquoted $@ within [[ … -eq … ]]: bash leaves empty parameters out of the message',
  'drydock/482': '% 0 as a command: bash takes it for a job to be brought to the foreground',
  'drydock/491': 'an empty subscript in arithmetic is told twice, and counts as 0',
  'drydock/522': 'test with more than four arguments: which of two wrong ones is named',
  'drydock/572': PIECE,
  'drydock/910': 'a quote that never ends within [[: bash prints freed memory',
  'drydock/1098': 'a substitution on "$@" within a here-document drops empty parameters',
  'drydock/1354': '$(( that is no arithmetic within an array literal that never ends: another status',
  'drydock/1373': PIECE,
  'drydock/1725': 'a target that fails to expand: bash tells of it twice',
  'drydock/1971': "the host's bash answers 128 or 129 from one run to the next",
  'drydock/1998': 'the DEBUG trap of a pipeline runs before the fork: its output is not piped',
};
