// The commands of machines and images: one program per name, grouped by the packages that bring them.
// What a command needs of the kernel, the network or the container runtime it asks of its process; none knows a lab.
export { editorSocket, type EditRequest } from './editor/service.ts';
export { verifyPassword } from './network/password-hash.ts';
export { BUSYBOX_APPLETS, machinePrograms, PACKAGES } from './packages/catalogue.ts';
export { MACHINE_UNITS } from './system/daemons.ts';
