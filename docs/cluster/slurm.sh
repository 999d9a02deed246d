#!/usr/bin/env bash
# A study on several machines of a SLURM cluster: a Ray of its own, which ends with the job.
#
#   sbatch --nodes 4 docs/cluster/slurm.sh studies/bonus_resnet.py --trials 64
#
# Put the environment, the work directory and your home where all machines see them. A job that is cut off by its time limit resumes
# when the same command is submitted again.
#SBATCH --job-name=medcls
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=32G
#SBATCH --time=12:00:00
#SBATCH --signal=B:INT@180
# For GPUs: #SBATCH --gpus-per-node=4, and Study(..., resources={"gpu": 1}) in the study.
set -euo pipefail

environment=${MEDCLS_ENVIRONMENT:-$SLURM_SUBMIT_DIR/.venv}
work=${MEDCLS_WORK:-$SLURM_SUBMIT_DIR/mlruns/runs}
# shellcheck disable=SC1091
source "$environment/bin/activate"
cd "$SLURM_SUBMIT_DIR"

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
port=$((20000 + SLURM_JOB_ID % 10000)) # jobs that share a machine keep apart
export RAY_ADDRESS="${nodes[0]}:$port" RAY_TMPDIR="/tmp/ray-$SLURM_JOB_ID"

export RAY_AUTH_MODE=token # in ~/.ray, which the machines share: nobody else may give this Ray work
ray get-auth-token --generate >/dev/null

on() { # on NODE COMMAND...: once, on a machine of the job, beside this script
    srun --nodes=1 --ntasks=1 --nodelist="$1" --overlap "${@:2}" &
}
on "${nodes[0]}" ray start --head --port="$port" --num-cpus="$SLURM_CPUS_PER_TASK" --disable-usage-stats --block
head=$!
until ray status >/dev/null 2>&1; do
    kill -0 "$head" # Ray could not be started: end with that
    sleep 1
done
for node in "${nodes[@]:1}"; do
    on "$node" ray start --address="$RAY_ADDRESS" --num-cpus="$SLURM_CPUS_PER_TASK" --disable-usage-stats --block
done

# The script's signal before the time limit reaches the study as Ctrl-C: the epochs at work are finished, all is kept.
python "$@" --executor auto --work-dir "$work" --wait &
study=$!
trap 'kill -INT "$study"' INT
while true; do # a trapped signal ends a wait, not the study
    code=0
    wait "$study" || code=$?
    kill -0 "$study" 2>/dev/null || break
done
mapfile -t beside < <(jobs -p)
kill "${beside[@]}" 2>/dev/null || true # Ray, on all machines
exit "$code"
