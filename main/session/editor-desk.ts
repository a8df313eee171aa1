// Editors that programs open: `vim FILE` waits in its terminal while the screen shows the real editor.
import type { EditorInfo, Events } from '../../preload/contract.ts';
import type { Cluster } from '../cluster/index.ts';
import { editorSocket, type EditRequest } from '../linux/commands/index.ts';
import type { Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';
import { SessionError } from './session-error.ts';

