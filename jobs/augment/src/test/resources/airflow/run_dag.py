"""Imports the DAG with stand-ins for Airflow's modules; prints its tasks, or runs them in order as a scheduler would.

    run_dag.py DAG_FILE list PARAMS_JSON
    run_dag.py DAG_FILE run PARAMS_JSON [STAGE ...]

Prints a line of JSON for each task.
"""

import importlib.util
import json
import pathlib
import re
import sys
import types

sys.path.insert(0, str(pathlib.Path(__file__).parent / "stub"))

from airflow.exceptions import AirflowException, AirflowFailException, AirflowSkipException  # noqa: E402


def rendered(value, names):
    if isinstance(value, str):
        return re.sub(r"\{\{(.*?)\}\}", lambda found: str(eval(found.group(1).strip(), {}, names)), value)
    if isinstance(value, (list, tuple)):
        return [rendered(item, names) for item in value]
    if isinstance(value, dict):
        return {key: rendered(item, names) for key, item in value.items()}
    return value


def main(file, verb, params, *stages):
    spec = importlib.util.spec_from_file_location("latentmix_dag", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    dag = module.dag
    given = json.loads(params)
    connection = {"master": given.pop("master"), "deploy_mode": "client"}
    context = {"connection": connection, "loses_exit_codes": given.pop("loses_exit_codes", False)}
    unknown = set(given) - set(dag.params)
    assert not unknown, unknown
    values = {name: given.get(name, param.default) for name, param in dag.params.items()}
    for task in dag.tasks:
        if stages and task.task_id not in stages:
            continue
        names = {
            "params": types.SimpleNamespace(**values),
            "run_id": "manual__2026-01-01T00:00:00+00:00",
            "ti": types.SimpleNamespace(task_id=task.task_id),
        }
        for field in task.template_fields:
            setattr(task, field, rendered(getattr(task, field), names))
        line = {"task": task.task_id, "upstream": task.upstream, "pool": task.pool, "retries": dag.default_args["retries"]}
        line["command"] = task.command(connection)
        if verb == "run":
            try:
                line["returned"] = task.execute(context)
                line["state"] = "success"
            except AirflowSkipException:
                line["state"] = "skipped"
            except AirflowFailException as failure:
                line.update(state="failed", message=str(failure))
            except AirflowException as failure:
                line.update(state="up_for_retry", message=str(failure))
        print("DAG " + json.dumps(line), flush=True)


main(*sys.argv[1:])
