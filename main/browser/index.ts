// The browser host: the same app served on loopback to a web browser.

/** Runs `drydock serve` with its arguments; settles with the exit status when the host ends. */
export function main(_args: string[]): Promise<number> {
  process.stderr.write('drydock: the browser host is not here yet.\n');
  return Promise.resolve(1);
}
