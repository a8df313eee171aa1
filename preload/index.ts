// The bridge between the renderer and main, as one sandboxed script.
import { contextBridge } from 'electron';

contextBridge.exposeInMainWorld('drydock', {});
