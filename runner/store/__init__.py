"""The only readers and writers of what runs and sweeps leave on disk. Everything else asks here.

A run's folder (docs/run-folder.md says it for people):

    config.yaml               the resolved configuration                          files.write_yaml, read_yaml
    run.json                  who the run is, from its start                      identity.run_json
    summary.json              how it ended and what came out                      identity.summary_json
    metrics.jsonl             one line an epoch                                   lines.Writer, Tail
    steps.jsonl               one line an optimizer step of mini-batches          lines.Writer, Tail
    checkpoint.safetensors    weights, optimizer, loop, hooks: all to go on from  tensors.write, read
    best.safetensors          the weights that gave the best value                tensors.write, read
    clock.json                seconds spent training, apart from what is bitwise  files.write_json, read_json
    stop                      a request to end after the epoch; its text says why
    .lock, .mlflow.lock       held by the trainer, by the mirror                  locks
    frames/, figures/, run.log

A sweep's folder, above those of its jobs:

    sweep.json                every job and how far it is                         records.SweepRecord
    search.json               of a search: the axes, and what each trial came to  records.SearchRecord
    .end                      a request that every job ends after its step
    .sweep.lock               held by the sweep's process                         locks

`folders` knows where each file lies, `overrides` reads what was typed (`+loss.lambda=1e-5`). Files appear whole or not
at all, only lines are appended; what is damaged raises DamagedError, one line that names the file.
"""
