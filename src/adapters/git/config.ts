/** Bytes of a pack that one push may send. */
export const MAX_PACK_BYTES = 200 * 1024 * 1024

/** The whole `config` of a product's repository; written as one file, so that it converges in one rename. */
export function repositoryConfig(settings: { hooksDir: string; maxPackBytes: number }): string {
  return `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
	hooksPath = ${JSON.stringify(settings.hooksDir)}
	protectHFS = true
	protectNTFS = true
	# an accepted push survives a power cut
	fsync = committed
	# larger files are streamed, so a small pack cannot unfold in memory
	bigFileThreshold = 16m
[http]
	receivepack = true
	getanyfile = false
	uploadarchive = false
[receive]
	fsckObjects = true
	maxInputSize = ${settings.maxPackBytes}
	advertisePushOptions = true
	denyDeleteCurrent = refuse
	autogc = false
[uploadpack]
	allowFilter = true
[pack]
	threads = 1
	windowMemory = 64m
[gc]
	auto = 0
[maintenance]
	auto = false
`
}
