// Recorded transcripts that the virtual tools don't reproduce, with the reason. A case that starts to pass must leave.

/** By id in golden/bash/text-cases.jsonl. */
export const KNOWN_TEXT_FAILURES: Readonly<Record<string, string>> = {
  'awk-errors': "gawk's long usage text is shortened",
  'ls-errors': 'setpriv is not there',
  'openssl-htpasswd': 'openssl is not there',
  'ps-kill-misc': 'some util-linux messages are not there yet',
  'tar-gzip': 'tar is not there yet',
  'test-misc': 'some of the tools it lists are not there yet',
};
