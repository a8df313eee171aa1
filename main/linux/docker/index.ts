// Docker: containers of a machine that no kubelet knows, with names, networks and volumes of their own. What a container is
// made of and how it runs is linux/containerd's; the commands that talk to the engine are in linux/commands/container.
export {
  dockerSocket,
  EngineError,
  nerdSocket,
  type Engine,
  type EngineContainer,
  type EngineImages,
  type EngineMount,
  type EngineSpec,
  type PublishedPort,
} from './engine-types.ts';
export { makeEngine, type EngineDaemon } from './engine.ts';
