// Golden cases that are known to differ, with the reason. The golden test names those that have become identical.

export const EXCEPTIONS: Readonly<Record<string, string>> = {
  'err-isdir-exec': 'dir(1) is to list in columns even into a pipe; that is for the commands.',
  'err-perm-notroot':
    "the recording's /root is 0700, as Debian has it; here it is 0550, as CentOS has it, and group 0 may enter",
};
