import { createHash } from "node:crypto";

/** Users of a machine; `*` as a password: nobody signs in with one, keys alone count. */
const PASSWD = [
  "root:x:0:0:root:/root:/bin/bash",
  "sshd:x:105:65534::/run/sshd:/usr/sbin/nologin",
  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
  "ec2-user:x:1000:1000:EC2 user:/home/ec2-user:/bin/bash",
];
const GROUP = ["root:x:0:", "ec2-user:x:1000:", "nogroup:x:65534:", "users:x:100:"];
const SHADOW = ["root", "sshd", "nobody", "ec2-user"].map((name) => `${name}:*:19000:0:99999:7:::`);

/** Programs of a machine are found here first. */
export const MACHINE_PATH =
  "/fake/bin:/fake/node:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

const SSHD_CONFIG = `Port 22
HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
AuthorizedKeysFile /fake/grants/%u
AcceptEnv LANG
SetEnv PATH=${MACHINE_PATH}
Subsystem sftp internal-sftp
MaxStartups 200
PidFile none
`;

/**
 * What the first process of a machine does: its host key, its sshd, and its user data once. It prints
 * host keys as cloud-init does, where GetConsoleOutput shows them.
 */
const INIT = `#!/bin/sh
echo "FAKE machine $FAKE_INSTANCE_ID starts"
trap 'exit 0' TERM INT
mkdir -p /run/sshd /fake/grants /var/lib/fake
chmod 1777 /tmp
[ -f /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N "" -C "" -f /etc/ssh/ssh_host_ed25519_key
echo "-----BEGIN SSH HOST KEY KEYS-----"
cat /etc/ssh/ssh_host_ed25519_key.pub
echo "-----END SSH HOST KEY KEYS-----"
/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config &
if [ ! -f /var/lib/fake/booted ]; then
  touch /var/lib/fake/booted
  if [ -n "$FAKE_USER_DATA" ]; then
    printf %s "$FAKE_USER_DATA" | base64 -d > /var/lib/fake/user-data
    chmod 700 /var/lib/fake/user-data
    env -u FAKE_USER_DATA PATH="$PATH" /var/lib/fake/user-data 2>&1
    echo "user data ended with $?"
  fi
fi
while :; do wait; sleep 1 & wait $!; done
`;

/** A device is a folder here: there is no block device in a machine that shares the kernel. */
const IS_FOLDER = '[ -d "$(readlink -f "$last")" ]';
const LAST = 'for last in "$@"; do :; done';

/** Programs that a folder needs in place of a block device. */
const SHIMS: Readonly<Record<string, string>> = {
  blkid: `#!/bin/sh\n${LAST}\n[ -e "$last/.fake-formatted" ] && echo ext4 && exit 0\nexit 2\n`,
  "mkfs.ext4": `#!/bin/sh\n${LAST}\n${IS_FOLDER} || exit 1\ntouch "$last/.fake-formatted"\n`,
  mountpoint: `#!/bin/sh\n${LAST}\n[ -L "$last" ]\n`,
  mount: `#!/bin/sh
from=""; to=""
for one in "$@"; do case "$one" in -*) ;; *) from="$to"; to="$one";; esac; done
[ -e "$from" ] || { echo "mount: $from: no such device" >&2; exit 32; }
[ -L "$to" ] && rm -f "$to"
rmdir "$to" 2>/dev/null
ln -sfn "$(readlink -f "$from")" "$to"
`,
  umount: `#!/bin/sh\n${LAST}\n[ -L "$last" ] || exit 32\nrm -f "$last"; mkdir -p "$last"\n`,
};

/** Links of a merged /usr, and empty places at which the host's own folders are mounted. */
export const IMAGE_LINKS = ["bin", "sbin", "lib", "lib64"] as const;
export const IMAGE_FOLDERS = [
  "usr",
  "etc/ssh",
  "etc/ssl",
  "etc/alternatives",
  "etc/ca-certificates",
  "root",
  "home/ec2-user",
  "tmp",
  "run",
  "proc",
  "sys",
  "dev",
  "opt",
  "mnt",
  "var/lib",
  "var/log",
  "var/tmp",
  "fake/bin",
  "fake/node",
  "fake/volumes",
] as const;

interface ImageFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

const lines = (all: readonly string[]) => `${all.join("\n")}\n`;

/** Every file of the image; programs and libraries are the host's own. */
export const IMAGE_FILES: readonly ImageFile[] = [
  { path: "etc/passwd", content: lines(PASSWD), mode: 0o644 },
  { path: "etc/group", content: lines(GROUP), mode: 0o644 },
  { path: "etc/shadow", content: lines(SHADOW), mode: 0o600 },
  {
    path: "etc/nsswitch.conf",
    content: "passwd: files\ngroup: files\nhosts: files dns\n",
    mode: 0o644,
  },
  { path: "etc/login.defs", content: "UID_MIN 1000\nGID_MIN 1000\nUMASK 022\n", mode: 0o644 },
  { path: "etc/ssh/sshd_config", content: SSHD_CONFIG, mode: 0o644 },
  { path: "fake/init", content: INIT, mode: 0o755 },
  ...Object.entries(SHIMS).map(([name, content]) => ({
    path: `fake/bin/${name}`,
    content,
    mode: 0o755,
  })),
];

/** The same image, the same name. */
export function imageDigest(): string {
  return createHash("sha256")
    .update(JSON.stringify([IMAGE_FILES, IMAGE_FOLDERS, IMAGE_LINKS]))
    .digest("hex")
    .slice(0, 12);
}
