// The two IPC channels of the bridge; a call's or event's name is its first argument.
export const CALL_CHANNEL = 'drydock:call';
export const EVENT_CHANNEL = 'drydock:event';
