// A fake bridge as the screen takes one: with a connection that holds.
import type { ScreenBridge } from '../../renderer/bridge.ts';
import type { FakeBridge } from '../support/fake-bridge.ts';

export function asScreenBridge(bridge: FakeBridge): ScreenBridge {
  return {
    call: (name, request) => bridge.call(name, request),
    on: (name, listener) => bridge.on(name, listener),
    connection: { status: 'connected' },
    onConnection: () => () => undefined,
    retry: () => undefined,
  };
}
