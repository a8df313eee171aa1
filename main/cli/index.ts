// The `drydock` command: the session without a screen.

/** Runs one `drydock` command line; settles with its exit status. */
export function main(_args: string[]): Promise<number> {
  process.stderr.write('drydock: the command line is not here yet.\n');
  return Promise.resolve(1);
}
