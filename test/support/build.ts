// Before the end-to-end tests: builds the app if its sources changed, so that they test what is there.
import { ensureBuilt } from '../../scripts/setup.mjs';

export async function setup(): Promise<void> {
  await ensureBuilt();
}
