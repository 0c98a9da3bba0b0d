import { copyFileSync, mkdirSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionContext } from "ava";
import { temporaryFolder } from "./certificates.ts";
import type { Certificate } from "./certificates.ts";

/** A folder whose files change atomically. */
export interface MountedSecret {
  path(name: string): string;
  /** Replaces all files. */
  swap(files: Record<string, string>): void;
}

/** Mounts a secret as Kubernetes does: a symbolic link to a symbolic link, which is replaced. */
export function mountSecret(t: ExecutionContext, first: Record<string, string>): MountedSecret {
  const folder = temporaryFolder(t);
  let count = 0;
  const swap = (files: Record<string, string>): void => {
    const data = join(folder, `..data_${count++}`);
    mkdirSync(data);
    for (const [name, file] of Object.entries(files)) copyFileSync(file, join(data, name));
    symlinkSync(data, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  swap(first);
  for (const name of Object.keys(first)) symlinkSync(`..data/${name}`, join(folder, name));
  return { path: (name: string) => join(folder, name), swap };
}

/** Returns the files of a secret of the type kubernetes.io/tls. */
export const secret = ({ cert, key }: Certificate): Record<string, string> => ({ "tls.crt": cert, "tls.key": key });
