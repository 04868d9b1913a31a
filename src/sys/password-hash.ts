import koffi from 'koffi';

/** Of libxcrypt's `struct crypt_data` (crypt.h), which begins with the hash as text. */
const dataBytes = 32_768;

/**
 * Whether a password has a hash of an htpasswd or shadow file (crypt(5): bcrypt, SHA-512, yescrypt, ...). Takes as long as
 * the hash was made to take, on another thread. False for hashes of unknown kinds.
 */
export async function hasPasswordHash(password: string, hash: string): Promise<boolean> {
  const crypt = koffi.load('libcrypt.so.1').func('void *crypt_rn(const char *, const char *, void *, int)');
  // Ours until the answer is read from it: what the function returns points into it.
  const data = Buffer.alloc(dataBytes);
  const isHashed = await new Promise<boolean>((resolve, reject) => {
    crypt.async(password, hash, data, dataBytes, (error: unknown, result: unknown) => {
      if (error instanceof Error) reject(error);
      else resolve(result !== null);
    });
  });
  const found = data.subarray(0, data.indexOf(0)).toString('latin1');
  return isHashed && hash !== '' && !hash.startsWith('*') && found === hash;
}
