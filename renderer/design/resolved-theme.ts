// The theme that is shown: the person's choice, or what the system has.
import { useSyncExternalStore } from 'react';

import { useApp } from '../state/index.ts';

const DARK = '(prefers-color-scheme: dark)';

export function useResolvedTheme(): 'light' | 'dark' {
  const chosen = useApp((store) => store.settings.theme);
  const systemIsDark = useSyncExternalStore(listen, () => matchMedia(DARK).matches);
  if (chosen !== 'system') return chosen;
  return systemIsDark ? 'dark' : 'light';
}

function listen(onChange: () => void): () => void {
  const query = matchMedia(DARK);
  query.addEventListener('change', onChange);
  return () => query.removeEventListener('change', onChange);
}
