// Texts that come from labs and from the engine, in the person's language.
import { useCallback } from 'react';

import type { Localized } from '../../preload/contract.ts';
import { useApp } from './store-context.tsx';

export function useLocalized(): (text: Localized) => string {
  const language = useApp((store) => store.settings.language);
  return useCallback((text: Localized) => text[language], [language]);
}
