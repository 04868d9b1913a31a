import koffi from 'koffi';

type Crypt = (phrase: string, setting: string, data: Buffer, sizeBytes: number) => string | null;

/** Of libxcrypt's `struct crypt_data` (crypt.h). */
const dataBytes = 32_768;

/**
 * Whether a password has a hash of an htpasswd or shadow file (crypt(5): bcrypt, SHA-512, yescrypt, ...). Takes as long as
 * the hash was made to take, on another thread. False for hashes of unknown kinds.
 */
export async function hasPasswordHash(password: string, hash: string): Promise<boolean> {
  const crypt = koffi.load('libcrypt.so.1').func('char *crypt_rn(const char *, const char *, void *, int)');
  const found = await new Promise<string | null>((resolve, reject) => {
    crypt.async(password, hash, Buffer.alloc(dataBytes), dataBytes, (error: unknown, result: ReturnType<Crypt>) => {
      if (error instanceof Error) reject(error);
      else resolve(result);
    });
  });
  return found !== null && !found.startsWith('*') && found === hash;
}
