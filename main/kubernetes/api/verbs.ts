// Which verb of authorization an HTTP method on a resource stands for (apiserver pkg/endpoints/request/requestinfo.go).

const METHOD_VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** `get` for `GET` or `HEAD`, `create` for `POST` …; empty for a method that resources don't have. */
export function verbOfMethod(method: string): string {
  return METHOD_VERBS[method] ?? '';
}
