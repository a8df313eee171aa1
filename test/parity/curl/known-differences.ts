// Commands whose outcome differs from the real curl's, with the reason. The list may only get shorter.

export const KNOWN: Readonly<Record<string, string>> = {
  '-sSL http://127.0.0.1:18080/rftp': "ftp isn't simulated, and says so",
  "-sS -z '-2024-05-14 09:12:33' http://127.0.0.1:18080/echo":
    'the real one reads no such date behind a minus sign',
};
