/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { findProgram } from './programs';
import { Unavailable } from './running-broker';
import { temporaryFolder } from './temporary-folder';
import { runTied } from './tied-process';

const ONLY_DEPENDENCIES = [
  '--no-recommends',
  '--no-suggests',
  '--no-conflicts',
  '--no-breaks',
  '--no-replaces',
  '--no-enhances',
];

/** Root too downloads as itself: apt's own user could not write into our folder. */
const AS_OURSELVES = ['-o', 'APT::Sandbox::User=', '-q'];

/** Which packages to take for a program, and what of what they need. */
export interface Wanted {
  readonly program: string;
  /** Of what `program` needs, the packages to take even if they are installed, so that their versions match. */
  readonly family?: RegExp;
}

/**
 * Unpacks packages of a Debian or Ubuntu system into `folder` without installing anything and without root.
 * Libraries that the system lacks come along.
 */
export async function unpackDebianPackages(wanted: Wanted, folder: string): Promise<void> {
  for (const tool of ['apt-get', 'apt-cache', 'dpkg']) {
    if (!(await findProgram(tool))) throw new Unavailable(`no ${tool}, so not a Debian or Ubuntu system`);
  }
  const work = temporaryFolder('otel-messaging-packages');
  try {
    const packages = await download(wanted, join(work.path, 'packages'), []).catch(async () => {
      // The system's package lists are missing or too old: fetch some of our own, which needs no root.
      const lists = await ownLists(join(work.path, 'apt'));
      return download(wanted, join(work.path, 'current-packages'), lists);
    });
    for (const file of packages) await runTied(['dpkg', '-x', file, folder]);
    await moveLinks(folder);
  } finally {
    await work.remove();
  }
}

/** The value of `LD_LIBRARY_PATH` for programs that were unpacked into `folder`. */
export async function unpackedLibraries(folder: string): Promise<string> {
  const folders = await Promise.all(['usr/lib', 'lib'].map((name) => libraryFolders(join(folder, name))));
  return [...folders.flat(), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':');
}

/**
 * Of this system: its name, version and processor. A cache may be shared by containers of different systems, whose
 * libraries do not fit each other.
 */
export async function systemName(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const value = (key: string) => new RegExp(`^${key}="?([\\w.-]+)`, 'm').exec(release)?.[1] ?? 'unknown';
  return `${value('ID')}-${value('VERSION_ID')}-${process.arch}`;
}

/** Makes links to `/etc` and the like point to the unpacked copy of what they mean. */
async function moveLinks(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const link = join(entry.parentPath, entry.name);
    const target = await readlink(link);
    if (!isAbsolute(target) || !existsSync(join(folder, target))) continue;
    await rm(link);
    await symlink(relative(entry.parentPath, join(folder, target)), link);
  }
}

/** The package files, after they were downloaded into `folder`. */
async function download(wanted: Wanted, folder: string, options: readonly string[]): Promise<string[]> {
  const names = new Set([...(await family(wanted, options)), ...(await missingLibraries(wanted, options))]);
  await mkdir(folder);
  await runTied(['apt-get', ...options, ...AS_OURSELVES, 'download', ...names], { cwd: folder });
  return (await readdir(folder)).map((file) => join(folder, file));
}

async function family({ program, family }: Wanted, options: readonly string[]): Promise<string[]> {
  const tree = await runTied(['apt-cache', ...options, 'depends', '--recurse', ...ONLY_DEPENDENCIES, program]);
  const names = tree.split('\n').filter((name) => family?.test(name));
  return [program, ...names];
}

/** Not the C library: there is one, and another would not fit its loader. */
async function missingLibraries({ program }: Wanted, options: readonly string[]): Promise<string[]> {
  const simulation = ['--simulate', '--no-install-recommends', 'install', program];
  // A system whose packages do not fit together has no plan, but most likely the libraries.
  const plan = await runTied(['apt-get', ...options, '-q', ...simulation]).catch(() => '');
  return [...plan.matchAll(/^Inst (lib(?!c6|c-bin)\S+)/gm)].map(([, name]) => name!);
}

async function ownLists(folder: string): Promise<string[]> {
  for (const part of ['lists/partial', 'cache/archives/partial']) await mkdir(join(folder, part), { recursive: true });
  const options = ['-o', `Dir::State::lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${join(folder, 'cache')}`];
  await runTied(['apt-get', ...options, ...AS_OURSELVES, 'update']);
  return options;
}

/** `parent` and its folders for one processor, such as `x86_64-linux-gnu`. */
async function libraryFolders(parent: string): Promise<string[]> {
  const names = await readdir(parent).catch(() => []);
  return [parent, ...names.filter((name) => name.includes('-linux-')).map((name) => join(parent, name))];
}
