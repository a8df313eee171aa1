// Recorded transcripts that the virtual tools don't reproduce, with the reason. A case that starts to pass must leave.

/** By id in golden/bash/text-cases.jsonl. */
export const KNOWN_TEXT_FAILURES: Readonly<Record<string, string>> = {
  'awk-errors': "gawk's long usage text is shortened",
  'ls-errors': '/root of the machine may be read by others there',
  'openssl-htpasswd': 'an address in an error of openssl is the process’s own',
  'ps-kill-misc': "ps's words for wrong options",
  'test-misc': 'the recording machine had no xxd',
};
