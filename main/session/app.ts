// A session as an app with a screen has it: workspace resumed, host doors open, reachable by `drydock exec`.
import { join } from 'node:path';
import type { AppState, Language } from '../../preload/contract.ts';
import { labsFolder, packageVersion } from './checkout.ts';
import { workspaceIn } from './data-folder.ts';
import { openControlDoor } from './loopback/control-door.ts';
import { openHostDoors } from './loopback/host-doors.ts';
import { nodeHost } from './node-host.ts';
import { Session } from './session.ts';

export interface App extends AsyncDisposable {
  readonly session: Session;
}

export interface AppOptions {
  /** The data folder; it is made if it isn't there. */
  readonly folder: string;
  readonly door: AppState['door'];
  readonly language: Language;
  readonly onFault: (error: unknown) => void;
}

/** Opens the app on a data folder. Rejects with StorageError when its workspace can't be had. */
export async function openApp({ folder, door, language, onFault }: AppOptions): Promise<App> {
  await using stack = new AsyncDisposableStack();
  const session = stack.use(
    new Session({
      workspace: workspaceIn(folder),
      labsFolder,
      host: nodeHost,
      version: packageVersion,
      door,
      language,
      onFault,
    }),
  );
  stack.use(await openHostDoors(session, { kubeconfig: join(folder, 'kubeconfig') }));
  stack.use(
    await openControlDoor({
      simulation: session.simulation,
      durable: () => session.durable(),
      cluster: () => session.clusters.cluster,
      folder,
    }),
  );
  // The window needn't wait for the machines; a failure shows in the cluster's state.
  void session.resume().catch(onFault);
  const owned = stack.move();
  return { session, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
