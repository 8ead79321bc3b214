r"""Latentmix on a schedule, for Airflow 3 with its Apache Spark provider: one task a stage, all in one run folder.

Every stage does only what is missing, so a task that is tried again goes on where it stopped. Before the first run:

    airflow pools set latentmix_gpu 1 "runs that hold the GPUs"
    airflow connections add spark_default --conn-type=spark --conn-host=spark://master --conn-port=7077 \
        --conn-extra='{"deploy-mode": "client"}'       # or cluster

The parameters below are asked for when a run is triggered. `run` is the run folder's name: give the same one again to go on with a
run, or to let it grow by new images; left empty it is the DAG run's own id, and so a dataset of its own.
"""

from __future__ import annotations

import json
import re

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException
from airflow.sdk import DAG, ObjectStoragePath, Param

STAGES = ("invert", "mix", "generate", "filter", "evaluate", "export")
GPU_STAGES = ("invert", "generate", "filter", "evaluate")

# Only where the parameter of that name says so; a filter makes what replaces dropped images, too.
ASKED = ("filter", "evaluate")
OPTIONS = {"filter": ["--replace"]}

RUN = "{{ params.runs }}/{{ (params.run or run_id).replace(':', '-').replace('+', '-') }}"
LABEL = "{{ run_id }}/{{ ti.task_id }}"

# What another try would end with as well: a bad configuration, more rejects than allowed.
FINAL = {2: "bad configuration", 3: "more rejects than allowed"}


def exit_code(failure) -> int | None:
    """What spark-submit ended with, which the provider tells in words; it counts where no summary could be written."""
    found = re.search(r"Error code is: (\d+)", str(failure))
    return int(found[1]) if found else None


class LatentmixOperator(SparkSubmitOperator):
    """Runs a stage by spark-submit and judges it by what `run_summary.json` in the run folder says of this attempt.

    In client mode that is spark-submit's exit code; in cluster mode the driver takes its code with it, and only the file tells.
    """

    template_fields = (*SparkSubmitOperator.template_fields, "run_folder", "run_label", "store", "asked")

    def __init__(self, *, run_folder: str, run_label: str, store: str, asked: str = "True", **kwargs):
        super().__init__(**kwargs)
        self.run_folder = run_folder
        self.store = store
        self.run_label = run_label
        self.asked = asked

    def execute(self, context):
        if self.asked == "False":
            raise AirflowSkipException("not asked for")
        failure = None
        try:
            super().execute(context)
        except AirflowFailException:
            raise
        except Exception as e:  # of whichever kind the provider's trackers raise
            failure = e
        summary = self.summary()
        code = summary.get("exitCode", exit_code(failure))
        said = summary.get("failure") or summary.get("stopped") or ""
        if code in FINAL:
            raise AirflowFailException(f"{FINAL[code]} (exit code {code}); {said}") from failure
        if failure is not None or code != 0:
            raise AirflowException(f"to be tried again (exit code {code}); {said}") from failure
        return {"stages": summary["stages"], "counts": summary["counts"]}

    def summary(self) -> dict:
        """This attempt's summary; empty where there is none, as when the driver was killed."""
        folder = self.run_folder.replace("s3a://", "s3://", 1)
        if folder.startswith("/"):
            folder = "file://" + folder
        try:
            summary = json.loads(ObjectStoragePath(folder + "/run_summary.json", conn_id=self.store or None).read_text())
        except Exception as e:  # there is none, or the store does not let it be read
            self.log.warning("No summary: %r", e)
            return {}
        return summary if summary.get("label") == self.run_label else {}


NATIVES = "jars, with commas, in place of spark.jars: PyTorch's, where the image has no PyTorch"

with DAG(
    dag_id="latentmix",
    description="A larger labelled image dataset by mixing images in a diffusion model's noise space",
    schedule=None,  # such as "@weekly"
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 10},  # each after core.default_task_retry_delay: 5 minutes
    params={
        "run": Param("", type="string", description="the run folder's name; empty for the DAG run's id"),
        "runs": Param("s3a://bucket/runs", type="string", description="where run folders lie"),
        "connection": Param("", type="string", description="Airflow's to S3; empty for the machine's own credentials"),
        "config": Param("/opt/latentmix/conf/sd15.yaml", type="string", description="on the driver's machine"),
        "input": Param("s3a://bucket/images", type="string", description="a folder of images a class"),
        "max_gpu_hours": Param(8, type="number", description="of one try of one stage; the next try goes on"),
        "filter": Param(False, type="boolean", description="where the configuration has a filter"),
        "evaluate": Param(False, type="boolean", description="where the configuration says what is measured"),
        "application": Param("/opt/latentmix/latentmix.jar", type="string"),
        "natives": Param("", type="string", description=NATIVES),
        "properties": Param("/opt/latentmix/conf/spark-defaults-standalone.conf", type="string"),
    },
    tags=["latentmix"],
) as dag:
    before = None
    for stage in STAGES:
        task = LatentmixOperator(
            task_id=stage,
            application="{{ params.application }}",
            java_class="latentmix.cli.Main",
            jars="{{ params.natives }}",
            properties_file="{{ params.properties }}",
            name="latentmix " + stage,
            application_args=[
                stage,
                *OPTIONS.get(stage, []),
                "--config",
                "{{ params.config }}",
                "--run",
                RUN,
                "--set",
                "input.root={{ params.input }}",
                "--label",
                LABEL,
                *(["--max-gpu-hours", "{{ params.max_gpu_hours }}"] if stage in GPU_STAGES else []),
            ],
            pool="latentmix_gpu" if stage in GPU_STAGES else "default_pool",
            trigger_rule="none_failed",
            asked="{{ params." + stage + " }}" if stage in ASKED else "True",
            run_folder=RUN,
            run_label=LABEL,
            store="{{ params.connection }}",
        )
        if before is not None:
            before >> task
        before = task
